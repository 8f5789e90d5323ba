import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';
import type { ReplayOrderView } from '@tidegate/contracts/ops/webhook-events';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { handledSubject, type Owner } from '@tidegate/contracts/subjects';
import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { connectBroker } from '@tidegate/messaging/connection';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { RpcClient } from '@tidegate/messaging/rpc';
import { type Handler, type Incoming, PermanentFailure, Subscriber } from '@tidegate/messaging/subscriber';
import { natsPermissions, SERVICES } from '@tidegate/messaging/topology';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { sql, type Transaction } from 'kysely';
import pg from 'pg';
import { readWebhooksConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { SERVICE, setup } from '../src/webhooks.module.js';
import { deliver, listener, openWorkbench, SECRET, silent, stripeEvent, type Workbench } from './workbench.js';

/** 10,000 by `npm run chaos -- replay`. */
const EVENTS = 150;
const OBJECTS = 50;

let bench: Workbench;
let nats: TestNats;
let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let service: RunningService;
let fixed = false;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const users = SERVICES.map((user) => ({ user, password: user, permissions: natsPermissions(user) }));
  [bench, nats, simulator] = [await openWorkbench(), await natsForTests({ users }), await simulatorForTests()];
  const admin = new pg.Client({ connectionString: bench.database.url });
  await admin.connect();
  // What each consumer did, as often as it did it: a mail, say.
  for (const role of ['payments', 'reconciliation'])
    await admin.query(`CREATE TABLE ${role}.mails (stripe_event_id text); GRANT ALL ON ${role}.mails TO ${role}`);
  await admin.end();
  const config = readWebhooksConfig({
    PORT: '0',
    DATABASE_URL: bench.database.urlFor('webhooks'),
    NATS_URL: nats.url('webhooks'),
    STRIPE_SECRET_KEY: ['sk', 'test', 'simulator0000'].join('_'),
    STRIPE_API_BASE: simulator.url,
    STRIPE_WEBHOOK_SECRET: SECRET,
    SHUTDOWN_GRACE_SECONDS: '0',
  });
  service = await startService({ service: SERVICE, version: 'spec', config, failpoints: FAILPOINTS, setup }, silent);
}, 60_000);
afterAll(async () => {
  await service.stop();
  for (const close of closing.reverse()) await close();
  await simulator.close();
  await nats.stop();
  await bench.close();
}, 60_000);

/** A service that sends a mail for each event of Stripe's, and reports what it made of it. */
async function mailer(owner: Extract<Owner, 'payments' | 'reconciliation'>, handles: () => boolean): Promise<Db> {
  const { db, close } = openDatabase({ url: bench.database.urlFor(owner), poolSize: 6, applicationName: `${owner}-spec` }, silent);
  const broker = await connectBroker({ servers: nats.url(owner), name: `${owner}-spec`, logger: silent });
  const lease = new Lease(db, 'relay', 'spec');
  const relay = new OutboxRelay({ db, broker, owner, failpoints: noFailpoints, logger: silent, lease });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any schema
  const report = async (tx: Transaction<any>, { messageId, envelope: cause }: Incoming, outcome: StripeEventHandled['outcome']) => {
    const { stripe_event_id } = cause.data as NormalizedStripeEvent;
    const subject = handledSubject(owner);
    const parts = { tenant: 'default', aggregateId: stripe_event_id, aggregateVersion: 1, occurredAt: new Date(), correlationId: 'spec' };
    const data = { stripe_event_id, consumer: `${owner}-stripe-events`, outcome, reason: outcome === 'failed' ? 'a bug' : null };
    await stage(tx, [
      { aggregate: stripe_event_id, subject, envelope: envelope(subject, { ...parts, causationId: messageId, traceparent: null, data }) },
    ]);
  };
  const handler: Handler = {
    projector: true,
    async handle(tx, message) {
      if (!handles()) throw new PermanentFailure('a bug');
      await sql`INSERT INTO mails VALUES (${(message.envelope.data as NormalizedStripeEvent).stripe_event_id})`.execute(tx);
      await report(tx, message, 'processed');
    },
    gaveUp: (tx, message) => report(tx, message, 'failed'),
    afterCommit: () => relay.signal(),
  };
  const subscriber = new Subscriber({
    ...{ db, broker, handler, failpoints: noFailpoints, logger: silent, clock: { now: () => new Date() } },
    ...{ service: owner, durable: `${owner}-stripe-events`, stream: 'STRIPE_EVENTS' },
  });
  const relaying = relay.run();
  await subscriber.start();
  closing.push(async () => {
    await subscriber.stop();
    await relay.stop();
    await relaying;
    await broker.drain();
    await close();
  });
  return db;
}

const mails = async (db: Db) => {
  const { rows } = await sql<{ sent: number; events: number }>`
    SELECT count(*)::int AS sent, count(DISTINCT stripe_event_id)::int AS events FROM mails`.execute(db);
  return rows[0]!;
};
const statuses = async () => {
  const { rows } = await sql<{ status: string; count: number }>`
    SELECT processing_outcome AS status, count(*)::int AS count FROM stripe_events GROUP BY 1`.execute(bench.db);
  return Object.fromEntries(rows.map((row) => [row.status, row.count]));
};

describe(`${EVENTS} events that one consumer failed at and another handled`, () => {
  it('are replayed once its handler is fixed: each takes effect once in either, and Stripe is sent nothing', async () => {
    const [failing, working] = [await mailer('payments', () => fixed), await mailer('reconciliation', () => true)];
    const app = listener(bench);
    const events = Array.from({ length: EVENTS }, (_, i) => stripeEvent({}, { id: `pi_flow_${i % OBJECTS}` }));
    await Promise.all(events.map((event) => deliver(app, event)));
    await app.close();
    // A dead message holds what came after it for the same object, so the first of each object fails and the rest wait.
    await eventually(async () => expect(await mails(working)).toEqual({ sent: EVENTS, events: EVENTS }), { timeoutMs: 30_000 });
    await eventually(async () => expect((await statuses())['failed']).toBe(OBJECTS), { timeoutMs: 30_000 });

    fixed = true;
    const broker = await connectBroker({ servers: nats.url('gateway'), name: 'gateway-spec', service: 'gateway', logger: silent });
    await broker.connection();
    const request: RouteRequest = {
      ...{ tenant: 'default', actor: 'key', request_id: 'req_1', correlation_id: 'cor_1', route: '', params: {}, query: {} },
      ...{ idempotency_key: null, respond_async: false, livemode: false },
      body: { filter: { status: 'failed' }, reason: 'fixed in 1.4.2' },
    };
    const reply = await new RpcClient(broker).request<HttpReply>(RPC.operatorEventReplay, request);
    expect(JSON.parse(reply.body) as ReplayOrderView).toMatchObject({ matched: OBJECTS, queued: OBJECTS });
    await broker.drain();

    await eventually(async () => expect(await statuses()).toEqual({ processed: EVENTS }), { timeoutMs: 30_000 });
    expect(await mails(failing)).toEqual({ sent: EVENTS, events: EVENTS });
    expect(await mails(working)).toEqual({ sent: EVENTS, events: EVENTS });
    const { rows } = await sql`SELECT state, count(*)::int AS count FROM inbox GROUP BY state ORDER BY state`.execute(failing);
    expect(rows).toEqual([
      { state: 'discarded', count: OBJECTS },
      { state: 'done', count: EVENTS },
    ]);
    expect(simulator.world.requests.all().filter((one) => one.method === 'POST')).toEqual([]);
  }, 90_000);
});
