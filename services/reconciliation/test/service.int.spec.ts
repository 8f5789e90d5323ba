import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exampleStripeEvent, stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { receiptIssued } from '@tidegate/contracts/events/receipt';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { LedgerBalances, RunView } from '@tidegate/contracts/responses';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, RPC, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Db, openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { Lease } from '@tidegate/database/lease';
import { type Broker, connectBroker } from '@tidegate/messaging/connection';
import { envelope, type OutboxMessage, stage } from '@tidegate/messaging/outbox';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { RpcClient, serveRpc } from '@tidegate/messaging/rpc';
import { natsPermissions, SERVICES } from '@tidegate/messaging/topology';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { eventually } from '@tidegate/test-harness/eventually';
import { natsForTests } from '@tidegate/test-harness/nats';
import { sql } from 'kysely';
import { readReconciliationConfig } from '../src/config.js';
import { FAILPOINTS } from '../src/failpoints.js';
import { PROJECTION_TABLES, projectionChecksums } from '../src/projection/checksum.js';
import { rebuildProjection } from '../src/projection/rebuild.js';
import { SERVICE, setup } from '../src/reconciliation.module.js';
import { rebuildRuns } from '../src/run/run.rebuild.js';
import type { ReconciliationTables } from '../src/tables.js';
import { clean, openWorkbench, paid, routeRequest, silent, snapshot, type Workbench } from './workbench.js';

/** A service that owns events, as far as its outbox goes. */
interface Owner {
  close: (() => Promise<unknown>)[];
  db: Db;
  broker: Broker;
  publish(...messages: OutboxMessage[]): Promise<void>;
}

let bench: Workbench;
let service: RunningService;
let payments: Owner;
let webhooks: Owner;
let receipts: Owner;
let gateway: Broker;
/** As the service itself, for commands beside it. */
let own: Broker;
const closing: (() => Promise<unknown>)[] = [];
const repaired: RouteRequest[] = [];

beforeAll(async () => {
  const users = [
    { user: 'admin', password: 'admin' },
    ...SERVICES.map((user) => ({ user, password: user, permissions: natsPermissions(user) })),
  ];
  const nats = await natsForTests({ users });
  bench = await openWorkbench();
  await aged(86_400);
  payments = await owner('payments', nats.url('payments'));
  webhooks = await owner('webhooks', nats.url('webhooks'));
  receipts = await owner('receipts', nats.url('receipts'));
  gateway = await connectBroker({ servers: nats.url('gateway'), name: 'gateway-spec', logger: silent });
  own = await connectBroker({ servers: nats.url('reconciliation'), name: 'reconciliation-spec', logger: silent });
  const repairs = serveRpc(payments.broker, RPC.paymentRepair, 'payments', async (request) => {
    repaired.push(request as RouteRequest);
    return jsonReply(202, { payment_id: 'pay_x', action: 'refresh' });
  });
  const usage = serveRpc(payments.broker, RPC.usageCompare, 'payments', async () =>
    jsonReply(200, { object: 'usage_comparison', compared: 0, agreeing: 0, pending: 0, differences: [], next_cursor: null }),
  );
  const config = readReconciliationConfig({
    PORT: '0',
    DATABASE_URL: bench.url('reconciliation'),
    NATS_URL: nats.url('reconciliation'),
    STRIPE_SECRET_KEY: ['sk', 'test', 'simulator0000'].join('_'),
    STRIPE_API_BASE: bench.simulator.url,
    RECONCILIATION_STALE_SECONDS: '1',
    RECONCILIATION_FEES_SECONDS: '1',
    // Only what is asked for here: a database of tests is as old as the template that it was made of, so a run of the schedule may be due at once.
    RECONCILIATION_CRON: 'off',
    RECONCILIATION_ROLLING_SECONDS: '0',
    RECONCILIATION_QUIET_SECONDS: '0',
    SHUTDOWN_GRACE_SECONDS: '0',
  });
  service = await startService({ service: SERVICE, version: 'spec', config, failpoints: FAILPOINTS, setup }, silent);
  closing.push(
    () => service.stop(),
    () => repairs.stop(),
    () => usage.stop(),
    () => gateway.drain(),
    () => own.drain(),
    ...[payments, webhooks, receipts].flatMap((one) => one.close),
    () => nats.stop(),
  );
}, 60_000);

afterAll(async () => {
  for (const close of closing) await close();
  await bench.shutDown();
}, 60_000);

/** As if the service had been installed a while ago. */
async function aged(seconds: number): Promise<void> {
  const admin = openDatabase<ReconciliationTables>({ url: bench.adminUrl, poolSize: 1, applicationName: 'spec' }, silent);
  await sql`UPDATE reconciliation.installation SET installed_at = installed_at - ${seconds} * interval '1 second'`.execute(admin.db);
  await admin.close();
}

async function owner(name: 'payments' | 'webhooks' | 'receipts', natsUrl: string): Promise<Owner> {
  const { db, close } = openDatabase<Record<string, never>>({ url: bench.url(name), poolSize: 4, applicationName: `${name}-spec` }, silent);
  const broker = await connectBroker({ servers: natsUrl, name: `${name}-spec`, logger: silent });
  const relay = new OutboxRelay({
    db,
    broker,
    owner: name,
    failpoints: noFailpoints,
    logger: silent,
    lease: new Lease(db, 'relay', 'spec'),
  });
  const served = serveOutboxRead(broker, db, name);
  const relaying = relay.run();
  return {
    db,
    broker,
    async publish(...messages) {
      await db.transaction().execute((tx) => stage(tx, messages));
      relay.signal();
    },
    close: [() => served.stop(), () => relay.stop(), () => relaying, () => broker.drain(), close],
  };
}

const parts = (aggregateId: string, aggregateVersion: number) => ({
  tenant: 'default',
  aggregateId,
  aggregateVersion,
  occurredAt: new Date(),
  correlationId: 'spec',
  causationId: null,
  traceparent: null,
});

function told(payment: PaymentSnapshot, version = 1): OutboxMessage {
  const subject = paymentSubject('succeeded');
  return { aggregate: payment.payment_id, subject, envelope: envelope(subject, { ...parts(payment.payment_id, version), data: payment }) };
}

function issued({ payment_id }: PaymentSnapshot): OutboxMessage {
  const receipt_id = `rcp_${payment_id.slice(4)}`;
  const data = { ...receiptIssued.example, receipt_id, payment_id };
  return { aggregate: receipt_id, subject: receiptIssued.subject, envelope: envelope(receiptIssued, { ...parts(receipt_id, 1), data }) };
}

function said(intent: string, status: string): OutboxMessage {
  const subject = stripeSubject('payment_intent.succeeded', 'payment_intent');
  const data = {
    ...exampleStripeEvent,
    stripe_event_id: `evt_${intent}`,
    object: { ...exampleStripeEvent.object, id: intent, payment_intent: intent, status },
  };
  return { aggregate: intent, subject, envelope: envelope(subject, { ...parts(intent, 1), data }) };
}

async function ask(subject: string, changes: Partial<RouteRequest>): Promise<HttpReply> {
  return new RpcClient(gateway).request<HttpReply>(subject, routeRequest(changes), { timeoutMs: 5000 });
}

async function reconciled(changes: object = {}): Promise<RunView> {
  const day = bench.clock.now().toISOString().slice(0, 10);
  const reply = await ask(RPC.runCreate, { body: { start_date: day, end_date: day, mode: 'report', reason: 'spec', ...changes } });
  expect(reply.status).toBe(201);
  const { id } = JSON.parse(reply.body) as RunView;
  return eventually(async () => {
    const run = RunView.parse(JSON.parse((await ask(RPC.runGet, { params: { id } })).body));
    expect(run.status).not.toBe('running');
    return run;
  });
}

describe('The running service', () => {
  it('projects both streams and agrees with Stripe', async () => {
    for (let i = 0; i < 5; i += 1) {
      const payment = await paid(bench);
      await payments.publish(told(payment));
      await receipts.publish(issued(payment));
      await webhooks.publish(said(payment.stripe_payment_intent!, 'succeeded'));
    }
    // No waiting: a run waits for the inbox itself.
    expect(await reconciled()).toMatchObject({
      status: 'succeeded',
      counts: clean,
    });
    await eventually(async () =>
      expect(await projectionChecksums(bench.db)).toMatchObject({
        recorded_payments: { rows: 5 },
        recorded_receipts: { rows: 5 },
        stripe_objects: { rows: 5 },
      }),
    );
  }, 30_000);

  it('names what Stripe has and nobody told us', async () => {
    await paid(bench);
    expect(await reconciled()).toMatchObject({ status: 'succeeded', counts: { missing_local: 1 } });
    const text = await (await fetch(`${service.url}/metrics`)).text();
    expect(text).toContain('billing_reconciliation_discrepancies_total{class="missing_local"} 1');
    expect(text).toContain('billing_reconciliation_runs_total{result="succeeded"} 2');
  }, 30_000);

  it('answers for what it set aside', async () => {
    const list = await ask(deadLetterSubject('reconciliation', 'list'), {});
    expect([list.status, JSON.parse(list.body)]).toEqual([200, { data: [], has_more: false }]);
  });

  it('has stale payments looked up', async () => {
    const stale = snapshot(bench, { status: 'unknown', amount_captured: 0 });
    await payments.publish(told(stale));
    await eventually(() =>
      expect(repaired.map((request) => request.body)).toContainEqual({ payment_id: stale.payment_id, reason: 'stale: unknown' }),
    );
  });

  it("keeps a ledger in which Stripe's balance is what Stripe says, and tells its tenant", async () => {
    await eventually(async () => {
      const net = bench.simulator.truth(['balance_transactions']).balance_transactions.reduce((sum, one) => sum + one.net, 0);
      const told = LedgerBalances.parse(JSON.parse((await ask(RPC.ledgerBalances, {})).body));
      // Six charges, of which payments has told of five.
      expect(told.data.map(({ account, balance }) => [account, balance])).toEqual([
        ['sales', -5 * 4200],
        ['stripe_balance', net],
        ['stripe_clearing', -4200],
        ['stripe_fees', 6 * 4200 - net],
      ]);
      expect(net).toBe(6 * 4048);
    });
  });

  it('comes back equal when every derived table is dropped and rebuilt in a new generation', async () => {
    const before = await projectionChecksums(bench.db);
    const runs = await derivedRuns();
    expect([before.recorded_payments.rows, before.stripe_objects.rows, runs.rows.length]).toEqual([6, 5, 2]);
    expect(before.ledger_entries.rows).toBe(5 * 2 + 6 * 3);
    const reported = await outboxSize();

    const admin = openDatabase<Record<string, never>>({ url: bench.adminUrl, poolSize: 1, applicationName: 'spec' }, silent);
    for (const table of [...PROJECTION_TABLES, 'runs', 'discrepancies'])
      await sql`DROP TABLE reconciliation.${sql.ref(table)}`.execute(admin.db);
    await admin.close();
    const { sources } = await rebuildProjection({ db: bench.db, broker: own, logger: silent, livemode: false });
    await rebuildRuns(bench.db);

    expect(sources.map((one) => one.generation)).toEqual([2, 2, 2]);
    expect(await projectionChecksums(bench.db)).toEqual(before);
    expect(await derivedRuns()).toEqual(runs);
    expect(await outboxSize()).toBe(reported);

    // The rules of the ledger are there again.
    await expect(
      sql`INSERT INTO ledger_entries VALUES ('txn_x', 1, 'default', 'sales', 'usd', 1, 'x', NULL, 'x', now())`.execute(bench.db),
    ).rejects.toMatchObject({ constraint: 'ledger_entries_zero_sum' });
    await expect(sql`DELETE FROM ledger_entries`.execute(bench.db)).rejects.toMatchObject({ code: '42501' });

    // The live consumer goes on in the new generation.
    await payments.publish(told(snapshot(bench)));
    await eventually(async () => expect((await projectionChecksums(bench.db)).recorded_payments.rows).toBe(7));
  }, 30_000);

  it('names what somebody did to the ledger around its rules, and puts it right by a replay', async () => {
    const before = await projectionChecksums(bench.db);
    const admin = openDatabase<ReconciliationTables>({ url: bench.adminUrl, poolSize: 1, applicationName: 'spec' }, silent);
    await admin.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL session_replication_role = replica`.execute(tx);
      await sql`UPDATE reconciliation.ledger_entries SET amount = amount + 1 WHERE account = 'stripe_fees'`.execute(tx);
      await sql`INSERT INTO reconciliation.ledger_entries VALUES ('txn_x', 1, 'default', 'sales', 'usd', 1, 'x', NULL, 'x', now())`.execute(
        tx,
      );
    });
    await admin.close();
    expect(await projectionChecksums(bench.db)).not.toEqual(before);
    // Seven transactions do not sum to zero, and six fees are not Stripe's.
    const wanted = { mode: 'repair', classes: ['ledger_imbalance'] };
    expect(await reconciled(wanted)).toMatchObject({ status: 'succeeded', counts: { ledger_imbalance: 13 } });
    await eventually(async () => expect(await projectionChecksums(bench.db)).toEqual(before));
    expect(await reconciled(wanted)).toMatchObject({ status: 'succeeded', counts: { ledger_imbalance: 0 } });
    // The tables of before are cleaned up after that.
    const underWay = async () => (await sql`SELECT id, state FROM event_replays WHERE finished_at IS NULL`.execute(bench.db)).rows;
    await eventually(async () => expect(await underWay()).toEqual([]));
  }, 30_000);

  it('refuses to rebuild while an owner cannot say that everything was read', async () => {
    const before = await projectionChecksums(bench.db);
    await webhooks.close[0]!();
    await expect(rebuildProjection({ db: bench.db, broker: own, logger: silent, livemode: false })).rejects.toThrow(/STRIPE_EVENTS/);
    expect(await projectionChecksums(bench.db)).toEqual(before);
  }, 30_000);
});

async function derivedRuns() {
  return {
    rows: await bench.db.selectFrom('runs').selectAll().orderBy('run_id').execute(),
    discrepancies: await bench.db.selectFrom('discrepancies').selectAll().orderBy('run_id').orderBy('number').execute(),
  };
}

async function outboxSize(): Promise<number> {
  const { rows } = await sql<{ size: number }>`SELECT count(*) AS size FROM outbox`.execute(bench.db);
  return rows[0]!.size;
}
