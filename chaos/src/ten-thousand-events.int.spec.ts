import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Envelope } from '@tidegate/contracts/envelope';
import { type Database, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { inStatement } from '@tidegate/database/transaction';
import { type Incoming } from '@tidegate/messaging/incoming';
import { stripeEventsReplay } from '@tidegate/reconciliation/projection/stripe-events.consumer';
import { type ReconciliationTables } from '@tidegate/reconciliation/tables';
import { API_VERSION, createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { sign, verify } from '@tidegate/stripe-gateway/signature';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { Hints } from '@tidegate/webhooks/hint/hint.loop';
import { Parked } from '@tidegate/webhooks/hint/parked.loop';
import { Batcher } from '@tidegate/webhooks/ingest/batcher';
import { insertFault } from '@tidegate/webhooks/ingest/insert-fault';
import { ReceiveDelivery } from '@tidegate/webhooks/ingest/receive.flow';
import { type Arrived, isHint } from '@tidegate/webhooks/normalize/hint.decide';
import { Normalize } from '@tidegate/webhooks/normalize/normalize.loop';
import { Partitions } from '@tidegate/webhooks/stripe-event/partitions';
import { insertEvents, keyOf, type NewStripeEvent } from '@tidegate/webhooks/stripe-event/stripe-event.store';
import { Sweep } from '@tidegate/webhooks/sweep/sweep.loop';
import { type WebhooksTables } from '@tidegate/webhooks/tables';
import { webhookMetrics } from '@tidegate/webhooks/webhook-metrics';
import { sql } from 'kysely';
import { atStripe } from './at-stripe.js';
import { eventStorm } from './event-storm.js';
import { type KnownObject, OBJECT_TRUTH, objectFaults, type ObjectTruth } from './object-truth.js';
import { randomFrom } from './seed.js';

jest.setTimeout(300_000);

const SECRET = ['whsec', 'storm'].join('_');
const SEED = 5;
const EVENTS = 10_000;

let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let database: TestDatabase;
let webhooks: Database<WebhooksTables>;
let reconciliation: Database<ReconciliationTables>;
let stripe: ReturnType<typeof createStripeAdapter>;
const logger = createLogger({ service: 'chaos', level: 'silent' });

beforeAll(async () => {
  [simulator, database] = await Promise.all([simulatorForTests({ seed: SEED }), postgresForTests()]);
  const open = <T>(role: string) => openDatabase<T>({ url: database.urlFor(role), poolSize: 6, applicationName: 'storm' }, logger);
  webhooks = open<WebhooksTables>('webhooks');
  reconciliation = open<ReconciliationTables>('reconciliation');
  stripe = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url });
});
afterAll(async () => {
  stripe.close();
  await Promise.all([webhooks.close(), reconciliation.close(), simulator.close()]);
  await database.drop();
});

/** The parts of webhooks that an event passes, and a projection of what they publish. */
function parts() {
  const { db } = webhooks;
  const clock = { now: () => new Date(simulator.world.clock.nowMs()) };
  const failpoints = noFailpoints;
  const asOurs = (event: Arrived) => isHint(event, { livemode: false, apiVersion: API_VERSION });
  const metrics = webhookMetrics(createMetrics('webhooks'), () => Promise.resolve(0));
  const partitions = new Partitions(db, logger);
  const accountTenants = new Map<string, string>();
  const common = { db, failpoints, clock, logger, stripe, accountTenants, isHint: asOurs, partitions, metrics };
  let missed = 0;
  const batcher = new Batcher<NewStripeEvent>({
    insert: (rows) => inStatement({ db, failpoints }, 'webhooks.ingest.insert', (one) => insertEvents(one, rows)),
    keyOf,
    faultOf: insertFault,
  });
  const receiver = new ReceiveDelivery({
    ...common,
    isSigned: ({ raw, signature }) => verify(raw, signature, [SECRET], 300, Math.floor(Date.now() / 1000)),
    batcher,
    stored: () => undefined,
  });
  const normalize = new Normalize({ ...common, staged: () => undefined });
  const hints = new Hints({ ...common, staged: () => undefined });
  const parked = new Parked({ ...common, released: () => undefined });
  const sweep = new Sweep({
    ...common,
    settings: { everySeconds: 300, overlapSeconds: 600, settleSeconds: 0, alarmSeconds: 86_400 },
    found: ({ events }) => (missed += events),
  });
  return {
    deliver: async (body: string) => {
      const raw = Buffer.from(body);
      const receipt = await receiver.receive({ raw, signature: sign(raw, SECRET, Math.floor(Date.now() / 1000)) });
      if (receipt.kind !== 'stored') throw new Error(`A delivery was answered ${receipt.kind}`);
    },
    publish: async () => {
      while ((await normalize.runOnce()) + (await hints.runOnce()) + (await parked.runOnce()) > 0);
    },
    sweep: async () => {
      await sweep.runOnce({ epoch: 1 });
      return missed;
    },
  };
}

/** Everything in the outbox of webhooks, in order, as reconciliation's inbox hands it on; the number of messages. */
async function project(): Promise<number> {
  const handler = stripeEventsReplay(false);
  const { rows } = await sql<{ body: string }>`SELECT convert_from(bytes, 'UTF8') AS body FROM outbox ORDER BY id`.execute(webhooks.db);
  for (let from = 0; from < rows.length; from += 500)
    await reconciliation.db.transaction().execute(async (tx) => {
      for (const { body } of rows.slice(from, from + 500))
        await handler.handle(tx, { envelope: JSON.parse(body) as Envelope } as Incoming, undefined);
    });
  return rows.length;
}

describe('Ten thousand events in random order, each one to five times, a tenth never delivered but listed', () => {
  it('leave the state that Stripe has, once the sweep has been', async () => {
    const { deliver, publish, sweep } = parts();
    expect(await sweep()).toBe(0);
    let seen = 0;
    const report = await eventStorm(
      {
        at: atStripe(simulator.url),
        newEvents: async () => {
          const fresh = simulator.world.events.records.all().slice(seen);
          seen += fresh.length;
          return fresh.map(({ event }) => JSON.stringify({ ...event, api_version: API_VERSION }));
        },
        deliver,
        between: publish,
      },
      randomFrom(SEED),
      EVENTS,
    );
    expect(report.events).toBeGreaterThanOrEqual(EVENTS);
    expect(report.lost).toBeGreaterThan(report.events / 12);
    expect(report.deliveries).toBeGreaterThan(1.5 * report.events);
    await publish();
    simulator.advanceClock(301);
    const later = simulator.world.events.records.all().length - seen;
    expect(await sweep()).toBe(report.lost + later);
    await publish();

    expect(await project()).toBe(report.events + later);
    const known: KnownObject[] = await reconciliation.db
      .selectFrom('stripe_objects')
      .select(['object_id', 'object', 'status', 'payment_intent', 'amount', 'amount_captured', 'amount_refunded'])
      .execute();
    expect(objectFaults(simulator.truth(OBJECT_TRUTH) as unknown as ObjectTruth, known)).toEqual([]);
    const { rows } = await sql<{ n: number; distinct: number }>`
      SELECT count(*)::int AS n, count(DISTINCT convert_from(bytes, 'UTF8')::json -> 'data' ->> 'stripe_event_id')::int AS distinct FROM outbox`.execute(
      webhooks.db,
    );
    expect(rows).toEqual([{ n: report.events + later, distinct: report.events + later }]);
  });
});
