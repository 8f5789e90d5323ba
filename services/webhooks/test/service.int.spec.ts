import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { customerErased } from '@tidegate/contracts/events/customer';
import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { handledSubject } from '@tidegate/contracts/subjects';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { freePort } from '@tidegate/local-stack/process/free-port';
import { connectBroker } from '@tidegate/messaging/connection';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { RpcClient } from '@tidegate/messaging/rpc';
import { type Handler, Subscriber } from '@tidegate/messaging/subscriber';
import { natsPermissions, SERVICES } from '@tidegate/messaging/topology';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests } from '@tidegate/test-harness/nats';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { sql } from 'kysely';
import { readWebhooksConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { SERVICE, setup } from '../src/webhooks.module.js';
import { openWorkbench, SECRET, silent, type Workbench } from './workbench.js';

const STRIPE_KEY = ['sk', 'test', 'simulator0000'].join('_');

let bench: Workbench;
let service: RunningService;
let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let stripe: ReturnType<typeof createStripeAdapter>;
const closing: (() => Promise<unknown>)[] = [];
let natsUrl: (user: string) => string;
/** Tells through the outbox of payments that it erased a customer. */
let erase: (customer: string) => Promise<void>;
/** What reached the other side of the broker. */
const heard: NormalizedStripeEvent[] = [];

/** Payments, as far as it consumes Stripe's events and says what it made of them. */
async function startPayments(natsUrl: string): Promise<void> {
  const { db, close } = openDatabase({ url: bench.database.urlFor('payments'), poolSize: 4, applicationName: 'payments-spec' }, silent);
  const broker = await connectBroker({ servers: natsUrl, name: 'payments-spec', logger: silent });
  const relay = new OutboxRelay({
    db,
    broker,
    owner: 'payments',
    failpoints: noFailpoints,
    logger: silent,
    lease: new Lease(db, 'relay', 'spec'),
  });
  const handler: Handler = {
    async handle(tx, message) {
      const { stripe_event_id } = message.envelope.data as NormalizedStripeEvent;
      const subject = handledSubject('payments');
      const data = { stripe_event_id, consumer: 'payments-stripe-events', outcome: 'processed', reason: null };
      const parts = {
        tenant: 'default',
        aggregateId: stripe_event_id,
        aggregateVersion: 1,
        occurredAt: new Date(),
        correlationId: 'spec',
        causationId: message.messageId,
        traceparent: null,
        data,
      };
      await stage(tx, [{ aggregate: stripe_event_id, subject, envelope: envelope(subject, parts) }]);
    },
    afterCommit(message) {
      heard.push(message.envelope.data as NormalizedStripeEvent);
      relay.signal();
    },
  };
  const subscriber = new Subscriber({
    db,
    broker,
    failpoints: noFailpoints,
    logger: silent,
    clock: { now: () => new Date() },
    service: 'payments',
    durable: 'payments-stripe-events',
    stream: 'STRIPE_EVENTS',
    handler,
  });
  erase = async (customer) => {
    const erased_at = new Date();
    const data = { customer, erased_at: erased_at.toISOString(), livemode: false };
    const about = { tenant: 'default', aggregateId: customer, aggregateVersion: 1, occurredAt: erased_at };
    const parts = { ...about, correlationId: 'spec', causationId: null, traceparent: null, data };
    const message = { aggregate: customer, subject: customerErased.subject, envelope: envelope(customerErased, parts) };
    await db.transaction().execute((tx) => stage(tx, [message]));
    relay.signal();
  };
  const relaying = relay.run();
  await subscriber.start();
  closing.push(async () => {
    await subscriber.stop();
    await relay.stop();
    await relaying;
    await broker.drain();
    await close();
  });
}

beforeAll(async () => {
  const users = [
    { user: 'admin', password: 'admin' },
    ...SERVICES.map((user) => ({ user, password: user, permissions: natsPermissions(user) })),
  ];
  const [opened, nats, port] = [await openWorkbench(), await natsForTests({ users }), await freePort()];
  bench = opened;
  natsUrl = (user) => nats.url(user);
  simulator = await simulatorForTests({ webhooks: [{ url: `http://127.0.0.1:${port}/webhooks/stripe`, secrets: [SECRET] }] });
  stripe = createStripeAdapter({ secretKey: STRIPE_KEY, apiBase: simulator.url });
  const config = readWebhooksConfig({
    PORT: String(port),
    DATABASE_URL: bench.database.urlFor('webhooks'),
    NATS_URL: nats.url('webhooks'),
    STRIPE_SECRET_KEY: STRIPE_KEY,
    STRIPE_API_BASE: simulator.url,
    STRIPE_WEBHOOK_SECRET: `${['whsec', 'retired'].join('_')},${SECRET}`,
    WEBHOOKS_SWEEP_SECONDS: '1',
    WEBHOOKS_SWEEP_SETTLE_SECONDS: '1',
    WEBHOOKS_SWEEP_OVERLAP_SECONDS: '120',
    SHUTDOWN_GRACE_SECONDS: '0',
  });
  service = await startService({ service: SERVICE, version: 'spec', config, failpoints: FAILPOINTS, setup }, silent);
  await startPayments(nats.url('payments'));
  closing.push(() => nats.stop());
}, 60_000);

afterAll(async () => {
  await service.stop();
  for (const close of closing) await close();
  stripe.close();
  await simulator.close();
  await bench.close();
}, 60_000);

async function pay(number: number): Promise<string> {
  const metadata = { payment_id: `pay_${String(number).padStart(12, '0')}`, tenant_id: 'default' };
  const created = await stripe.createIntent(
    { amount: 1000 + number, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata },
    `${number}:create`,
  );
  if (created.kind !== 'ok') throw new Error(created.kind);
  const confirmed = await stripe.confirmIntent(created.value.id, { paymentMethod: 'pm_card_visa' }, `${number}:confirm`);
  if (confirmed.kind !== 'ok') throw new Error(confirmed.kind);
  return created.value.id;
}

describe('With deliveries dropped, doubled and shuffled', () => {
  it('each event of Stripe takes effect once, and its outcome comes back', async () => {
    for (const fault of ['webhook_drop', 'webhook_duplicate', 'webhook_reorder'])
      simulator.addFault({ fault, probability: 0.3, seed: 7, times: 1000 } as never);
    const intents = new Set<string>();
    for (let i = 1; i <= 10; i += 1) intents.add(await pay(i));

    await eventually(
      async () => {
        const page = await stripe.listEvents({ limit: 100 });
        if (page.kind !== 'ok') throw new Error(page.kind);
        expect(page.value.data.filter((event) => event.type === 'charge.updated')).toHaveLength(10);
        expect(heard.map((event) => event.stripe_event_id).sort()).toEqual(page.value.data.map((event) => event.id).sort());
      },
      { timeoutMs: 30_000, everyMs: 200 },
    );
    for (const intent of intents)
      expect(heard.some((event) => event.object.id === intent && event.object.status === 'succeeded')).toBe(true);
    expect(heard.some((event) => event.hint)).toBe(true);
    expect(heard.some((event) => !event.hint)).toBe(true);
    expect(JSON.stringify(heard)).not.toContain('_secret_');

    await eventually(async () => {
      const outcomes = await bench.db.selectFrom('stripe_events').select(['processing_outcome']).distinct().execute();
      expect(outcomes).toEqual([{ processing_outcome: 'processed' }]);
    });
  }, 45_000);

  it('a customer that payments erases is named by no stored event, the news of its deletion included', async () => {
    simulator.clearFaults();
    const made = await stripe.createCustomer(
      { email: 'zelda@example.com', name: 'Zelda', metadata: { tenant_id: 'default' } },
      'customer:1',
    );
    const customer = made.kind === 'ok' ? made.value.id : '';
    const naming = async () => {
      const { rows } = await sql<{ type: string; named: boolean }>`
        SELECT event_type AS type, convert_from(payload, 'UTF8') ~* 'zelda' AS named FROM stripe_events WHERE customer = ${customer} ORDER BY created`.execute(
        bench.db,
      );
      return rows;
    };
    await eventually(async () => expect(await naming()).toEqual([{ type: 'customer.created', named: true }]));
    await erase(customer);
    await eventually(async () => expect(await naming()).toEqual([{ type: 'customer.created', named: false }]));
    await stripe.deleteCustomer(customer);
    await eventually(async () => {
      const events = await naming();
      expect(events).toHaveLength(2);
      expect(events).toContainEqual({ type: 'customer.deleted', named: false });
    });
  }, 30_000);

  it('the figures tell of it', async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const value = (series: string) => Number(new RegExp(`^${series.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1]);
    expect(value('stripe_webhook_events_total{event_type="payment_intent.succeeded",result="accepted"}')).toBeGreaterThan(0);
    expect(value('stripe_events_missed_total')).toBeGreaterThan(0);
    expect(value('stripe_webhook_events_total{event_type="unknown",result="bad_signature"}')).toBe(0);
    expect(value('stripe_webhook_lag_seconds')).toBe(0);
  });

  it('it answers the gateway for what it set aside', async () => {
    const broker = await connectBroker({ servers: natsUrl('gateway'), name: 'gateway-spec', service: 'gateway', logger: silent });
    await broker.connection();
    const request: RouteRequest = {
      tenant: 'default', actor: 'key', request_id: 'req_1', correlation_id: 'cor_1', route: '', params: {}, query: {}, idempotency_key: null, respond_async: false, livemode: false,
      body: { filter: {}, reason: 'nothing to see' },
    }; // prettier-ignore
    const reply = await new RpcClient(broker).request<HttpReply>(deadLetterSubject('webhooks', 'replay'), request);
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([200, { matched: 0, changed: 0 }]);
    await broker.drain();
  });

  it('rubbish on the running service is a 4xx', async () => {
    const url = `${service.url}/webhooks/stripe`;
    const statuses = [];
    statuses.push((await fetch(url)).status);
    statuses.push((await fetch(url, { method: 'HEAD' })).status);
    statuses.push((await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status);
    statuses.push((await fetch(url, { method: 'POST', body: 'x' })).status);
    statuses.push(
      (await fetch(url, { method: 'POST', body: 'x'.repeat(300_000), headers: { 'content-type': 'application/json' } })).status,
    );
    statuses.push((await fetch(`${service.url}/nothing`)).status);
    expect(statuses).toEqual([405, 405, 400, 415, 413, 404]);
  });
});
