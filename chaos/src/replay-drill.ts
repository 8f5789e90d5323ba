import { setTimeout as pause } from 'node:timers/promises';
import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import type { HandledOutcome } from '@tidegate/contracts/events/stripe-event-handled';
import type { ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { handledSubject } from '@tidegate/contracts/subjects';
import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { connectBroker } from '@tidegate/messaging/connection';
import { envelope, stage } from '@tidegate/messaging/outbox';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type Handler, type Incoming, PermanentFailure, Subscriber } from '@tidegate/messaging/subscriber';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { sign } from '@tidegate/stripe-gateway/signature';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';

const CONSUMER = 'payments-stripe-events';
const AT_ONCE = 64;
const WITHIN_MS = 600_000;

export interface ReplayReport {
  events: number;
  kills: number;
  /** From the order to the last effect. */
  seconds: number;
}

/**
 * The consumer of payments, played here, fails at every event for good; then it is repaired and all are replayed while webhooks processes are killed. Each event
 * must take effect exactly once, and Stripe be sent nothing. The arena runs gateway and two webhooks, without payments.
 */
export async function replayDrill(arena: Arena, { events, seed }: { events: number; seed: number }): Promise<ReplayReport> {
  const consumer = await brokenConsumer(arena);
  try {
    await deliverAll(arena, events);
    await eventually(async () => equal(await statuses(arena), { failed: events }), { timeoutMs: WITHIN_MS, everyMs: 500 });
    const posts = await postsToStripe(arena);

    consumer.repair();
    const startedAt = performance.now();
    const job = await order(arena, events);
    const kills = await killWhileRunning(arena, job, seed);
    await eventually(async () => equal(await statuses(arena), { processed: events }), { timeoutMs: WITHIN_MS, everyMs: 500 });
    const seconds = (performance.now() - startedAt) / 1000;
    equal(await consumer.effects(), { effects: events, events });
    equal(await postsToStripe(arena), posts);
    return { events, kills, seconds };
  } finally {
    await consumer.stop();
  }
}

async function brokenConsumer({ stack, sql: ask }: Arena) {
  await ask('CREATE TABLE payments.effects_of_replay (stripe_event_id text)');
  await ask('GRANT ALL ON payments.effects_of_replay TO payments');
  const logger = createLogger({ service: 'replay drill', level: 'silent' });
  const { db, close } = openDatabase({ url: stack.databaseUrl('payments'), poolSize: 8, applicationName: 'replay-drill' }, logger);
  const broker = await connectBroker({ servers: stack.natsUrl('payments'), name: 'replay-drill', service: 'payments', logger });
  const lease = new Lease(db, 'relay', 'replay-drill');
  const relay = new OutboxRelay({ db, broker, owner: 'payments', failpoints: noFailpoints, logger, lease });
  const server = serveOutboxRead(broker, db, 'payments');
  let repaired = false;
  const handler: Handler = {
    async handle(tx, message) {
      if (!repaired) throw new PermanentFailure('a bug');
      await sql`INSERT INTO effects_of_replay VALUES (${eventIdOf(message)})`.execute(tx);
      await report(tx, message, 'processed');
    },
    gaveUp: (tx, message) => report(tx, message, 'failed'),
    afterCommit: () => relay.signal(),
  };
  const subscriber = new Subscriber({
    ...{ db, broker, logger, handler, failpoints: noFailpoints, clock: { now: () => new Date() } },
    ...{ service: 'payments', durable: CONSUMER, stream: 'STRIPE_EVENTS', concurrency: 6 },
  });
  const relaying = relay.run();
  await subscriber.start();
  return {
    repair: () => (repaired = true),
    effects: () => effectsOf(db),
    async stop(): Promise<void> {
      await subscriber.stop();
      await relay.stop();
      await relaying;
      await server.stop();
      await broker.drain();
      await close();
    },
  };
}

const eventIdOf = (message: Incoming): string => (message.envelope.data as NormalizedStripeEvent).stripe_event_id;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the schema of payments
async function report(tx: Transaction<any>, message: Incoming, outcome: z.infer<typeof HandledOutcome>): Promise<void> {
  const [subject, stripe_event_id] = [handledSubject('payments'), eventIdOf(message)];
  const parts = {
    ...{ tenant: 'default', aggregateId: stripe_event_id, aggregateVersion: 1, occurredAt: new Date(), traceparent: null },
    ...{ correlationId: message.envelope.correlation_id, causationId: message.messageId },
    data: { stripe_event_id, consumer: CONSUMER, outcome, reason: outcome === 'failed' ? 'a bug' : null },
  };
  await stage(tx, [{ aggregate: stripe_event_id, subject, envelope: envelope(subject, parts) }]);
}

async function effectsOf(db: Db): Promise<{ effects: number; events: number }> {
  const { rows } = await sql<{ effects: number; events: number }>`
    SELECT count(*)::int AS effects, count(DISTINCT stripe_event_id)::int AS events FROM effects_of_replay`.execute(db);
  return rows[0] ?? { effects: 0, events: 0 };
}

async function deliverAll({ stack }: Arena, events: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < events) {
      const n = next++;
      const url = stack.urls.webhooks[n % stack.urls.webhooks.length]!;
      const answer = await fetch(`${url}/webhooks/stripe`, { method: 'POST', ...delivery(n, stack.stripe.webhookSecret) });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`A delivery was answered ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function delivery(n: number, secret: string): { body: Buffer<ArrayBuffer>; headers: Record<string, string> } {
  const created = Math.floor(Date.now() / 1000);
  const object = { id: `pi_drill${n}`, object: 'payment_intent', status: 'succeeded', amount: 4200, currency: 'usd', metadata: {} };
  const head = { id: `evt_drill${n}`, object: 'event', type: 'payment_intent.succeeded', created, livemode: false };
  const body = Buffer.from(JSON.stringify({ ...head, api_version: API_VERSION, data: { object } }));
  return { body, headers: { 'content-type': 'application/json', 'stripe-signature': sign(body, secret, created) } };
}

async function order({ client }: Arena, events: number): Promise<string> {
  const body = { filter: { status: 'failed' }, reason: 'the consumer is repaired' };
  const answer = await client.send({ method: 'POST', path: '/v1/ops/webhook-events/replay', key: 'replay-drill', body });
  const { matched, job } = JSON.parse(answer.body) as { matched: number; job: string };
  equal(matched, events);
  return job;
}

/** Kills webhooks processes, one and then the other, until the replay is complete. */
async function killWhileRunning({ stack, client }: Arena, job: string, seed: number): Promise<number> {
  const random = randomFrom(seed);
  for (let kills = 0; ; kills += 1) {
    await pause(200 + random.below(800));
    if ((await client.get<ReplayView>(`/v1/ops/webhook-replays/${job}`)).status === 'completed') return kills;
    const replica = 1 + (kills % 2);
    await stack.kill('webhooks', replica);
    await stack.restart('webhooks', replica);
  }
}

async function statuses({ sql: ask }: Arena): Promise<Record<string, number>> {
  const rows = await ask<{ status: string; count: number }>(
    'SELECT processing_outcome AS status, count(*)::int AS count FROM webhooks.stripe_events GROUP BY 1',
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

async function postsToStripe({ stack }: Arena): Promise<number> {
  const truth = (await (await fetch(`${stack.urls.simulator}/__truth`)).json()) as { requests: { method: string }[] };
  return truth.requests.filter(({ method }) => method === 'POST').length;
}

function equal(actual: unknown, expected: unknown): void {
  const [was, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (was !== should) throw new Error(`${was}, and not ${should}`);
}
