import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { noFailpoints } from '@tidegate/database/failpoints';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { TELLS_FRESHNESS } from '../src/run/freshness.js';
import { ping } from '../src/run/ping.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { rebuildRuns } from '../src/run/run.rebuild.js';
import { answerCreate, answerDiscrepancies, answerDiscrepanciesCsv, answerGet, answerList, ofEveryTenant } from '../src/run/run.rpc.js';
import { answerStatus } from '../src/run/status.rpc.js';
import { parseCron } from '../src/schedule/cron.decide.js';
import { makeDueRuns, type ScheduleParts } from '../src/schedule/schedule.loop.js';
import { AskedPayments, must, openWorkbench, paid, record, routeRequest, runParts, silent, type Workbench } from './workbench.js';

let bench: Workbench;
const never = new AbortController().signal;

beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

const api = () => ({ ...runParts(bench), requested: () => undefined });
const asked = (changes: Parameters<typeof routeRequest>[0]) => routeRequest(changes);

type As = (request: ReturnType<typeof routeRequest>) => ReturnType<typeof routeRequest>;
const ofOneTenant: As = (request) => request;

async function reconcile(body: object = {}, changes: Partial<RunParts> = {}, as = ofOneTenant): Promise<RunView> {
  const day = bench.clock.now().toISOString().slice(0, 10);
  const request = asked({ body: { start_date: '2020-01-01', end_date: day, mode: 'report', reason: 'spec', ...body } });
  const { id } = RunView.parse(JSON.parse((await answerCreate(api(), as(request))).body));
  await runOnce(runParts(bench, changes), never);
  return RunView.parse(JSON.parse((await answerGet(api(), as(asked({ params: { id } })))).body));
}

const view = async (id: string, tenant = 'default') =>
  RunView.parse(JSON.parse((await answerGet(api(), asked({ tenant, params: { id } }))).body));

async function rows(id: string, query: Record<string, string> = {}, tenant = 'default'): Promise<DiscrepancyView[]> {
  const { body } = await answerDiscrepancies(api(), asked({ tenant, params: { id }, query }));
  return (JSON.parse(body) as { data: unknown[] }).data.map((row) => DiscrepancyView.parse(row));
}

const runs = async (query: Record<string, string>, tenant = 'default') =>
  (JSON.parse((await answerList(api(), asked({ tenant, query }))).body) as { data: RunView[] }).data;

describe('A run beside the run before', () => {
  it('says what is new, what persists and what is gone, and shows each', async () => {
    const healed = await paid(bench);
    const first = await reconcile();
    expect(first.comparison).toEqual({ previous: null, new: 1, persisting: 0, gone: 0 });

    const stays = await paid(bench);
    await reconcile();
    await record(bench, healed);
    const fresh = await paid(bench);
    const third = await reconcile();
    expect(third.comparison).toMatchObject({ new: 1, persisting: 1, gone: 1 });
    const ids = async (state: string) => (await rows(third.id, { state })).map((row) => [row.state, row.stripe_id]);
    expect(await ids('new')).toEqual([['new', fresh.stripe_payment_intent]]);
    expect(await ids('persisting')).toEqual([['persisting', stays.stripe_payment_intent]]);
    expect(await ids('gone')).toEqual([['gone', healed.stripe_payment_intent]]);
  });

  it('does not take for gone what lies outside its days or its classes, and dates anew what had been gone', async () => {
    const payment = await paid(bench);
    const first = await reconcile();
    expect((await reconcile({ end_date: '2020-01-02' })).comparison).toMatchObject({ new: 0, gone: 0 });
    expect((await reconcile({ classes: ['amount_mismatch'] })).comparison).toMatchObject({ gone: 0 });
    expect((await rows((await reconcile()).id))[0]!.first_seen).toBe((await rows(first.id))[0]!.first_seen);

    await record(bench, payment);
    bench.advance(10);
    await reconcile();
    await bench.db.deleteFrom('recorded_payments').execute();
    bench.advance(10);
    const again = await reconcile();
    expect([again.comparison?.new, (await rows(again.id))[0]!.age_seconds]).toEqual([1, 0]);
  });
});

describe('The lists', () => {
  it('honour status, class and state', async () => {
    await paid(bench);
    const good = await reconcile();
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/disputes', times: 0 } as never);
    const bad = await reconcile({}, { patienceMs: 50 });
    expect((await runs({ status: 'failed' })).map((run) => run.id)).toEqual([bad.id]);
    expect((await runs({ status: 'succeeded' })).map((run) => run.id)).toEqual([good.id]);
    expect(await runs({ status: 'running' })).toEqual([]);
    expect((await answerList(api(), asked({ query: { status: 'odd' } }))).status).toBe(400);
    expect(await rows(good.id, { class: 'status_mismatch' })).toEqual([]);
    expect(await rows(good.id, { class: 'missing_local' })).toHaveLength(1);
  });

  it('come as CSV in pages, with the names once', async () => {
    for (let i = 0; i < 3; i += 1) await paid(bench);
    const { id } = await reconcile();
    const page = (query: Record<string, string>) => answerDiscrepanciesCsv(api(), asked({ params: { id }, query }));
    const [all, first] = [await page({}), await page({ limit: '2' })];
    expect(all.content_type).toContain('text/csv');
    expect(all.headers['tidegate-next-cursor']).toBeUndefined();
    const second = await page({ limit: '2', cursor: first.headers['tidegate-next-cursor']! });
    expect(first.body + second.body).toBe(all.body);
    expect(all.body.split('\r\n')).toHaveLength(5);
    expect((await answerDiscrepanciesCsv(api(), asked({ tenant: 'other', params: { id } }))).status).toBe(404);
  });
});

describe('A run that repairs', () => {
  it('is written down with who asked for it and why; a report is not', async () => {
    await reconcile();
    const { id } = await reconcile({ mode: 'repair', reason: 'INC-7' });
    const { rows: actions } = await sql`SELECT actor, action, target, reason FROM operator_actions`.execute(bench.db);
    expect(actions).toEqual([{ actor: 'key_1', action: 'reconciliation.repair', target: id, reason: 'INC-7' }]);
  });
});

const schedule = (changes: Partial<ScheduleParts> = {}): ScheduleParts => ({
  db: bench.db,
  failpoints: noFailpoints,
  clock: bench.clock,
  logger: silent,
  cron: parseCron('0 2 * * *'),
  days: 3,
  rollingSeconds: 0,
  mode: 'report',
  requested: () => undefined,
  ...changes,
});

/** Seconds until the next 02:00 by the shared clock. */
const untilTwo = () => {
  const now = bench.clock.now().getTime() / 1000;
  return Math.ceil(86_400 - ((now - 7200) % 86_400)) + 1;
};

/** A second charge for a payment, under another key. */
async function paidTwice(payment_id: string): Promise<void> {
  const metadata = { payment_id, tenant_id: 'default' };
  const params = { amount: 4200, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata } as const;
  const second = must(await bench.stripe.createIntent(params, 'second'));
  must(await bench.stripe.confirmIntent(second.id, { paymentMethod: 'pm_card_visa' }, 'second:confirm'));
}

describe('The daily run', () => {
  it('is made once, of every tenant; each sees its own part; two leaders make no second one', async () => {
    await paid(bench);
    await paid(bench, { tenant: 'other' });
    bench.advance(untilTwo());
    await Promise.all([makeDueRuns(schedule()), makeDueRuns(schedule())]);
    await Promise.all([runOnce(runParts(bench), never), runOnce(runParts(bench), never)]);
    const [run, ...more] = await runs({ trigger: 'daily' });
    expect(more).toEqual([]);
    expect(run).toMatchObject({ status: 'succeeded', every_tenant: true, counts: { missing_local: 1 }, comparison: { new: 1 } });
    expect(await view(run!.id, 'other')).toMatchObject({ counts: { missing_local: 1 } });
    expect(await view(run!.id, 'third')).toMatchObject({ counts: { missing_local: 0 }, comparison: { new: 0 } });
    expect([(await rows(run!.id)).length, (await rows(run!.id, {}, 'other')).length]).toEqual([1, 1]);
    expect(await makeDueRuns(schedule())).toBe(0);
    const before = await bench.db.selectFrom('runs').selectAll().execute();
    await rebuildRuns(bench.db);
    const after = await bench.db.selectFrom('runs').selectAll().where('run_id', '=', run!.id).execute();
    expect(after).toEqual(before.filter((one) => one.run_id === run!.id));
  });

  it('names what it has named until it is put right, also when that is older than what it reads', async () => {
    const [stays, healed, double, bare] = [await paid(bench), await paid(bench), await paid(bench), await paid(bench)];
    await record(bench, double);
    await record(bench, bare);
    await bench.db.deleteFrom('recorded_receipts').where('payment_id', '=', bare.payment_id).execute();
    await paidTwice(double.payment_id);
    const counts = [];
    for (let day = 1; day <= 6; day += 1) {
      bench.advance(untilTwo());
      await makeDueRuns(schedule());
      await runOnce(runParts(bench), never);
      const [run] = await runs({ trigger: 'daily' });
      const { missing_local, duplicate_charge, receipt_missing } = run!.counts;
      counts.push([missing_local, duplicate_charge, receipt_missing, run!.comparison!.new]);
      if (day === 4) await record(bench, healed);
    }
    expect(counts).toEqual([
      [2, 1, 1, 4],
      [2, 1, 1, 0],
      [2, 1, 1, 0],
      [2, 1, 1, 0],
      [1, 1, 1, 0],
      [1, 1, 1, 0],
    ]);
    const [run] = await runs({ trigger: 'daily' });
    expect((await rows(run!.id, { class: 'missing_local' })).map((row) => [row.state, row.stripe_id])).toEqual([
      ['persisting', stays.stripe_payment_intent],
    ]);
  });

  it('that fails is tried three times, and moves no freshness', async () => {
    bench.advance(untilTwo());
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/refunds', times: 0 } as never);
    let made = 0;
    for (let minute = 0; minute < 12; minute += 1) {
      made += await makeDueRuns(schedule());
      await runOnce(runParts(bench, { patienceMs: 20 }), never);
      bench.advance(60);
    }
    expect([made, (await runs({ trigger: 'daily', status: 'failed' })).length]).toEqual([3, 3]);
    const config = { RECONCILIATION_CRON: '0 2 * * *', RECONCILIATION_ROLLING_SECONDS: 300 };
    const status = ReconciliationStatusView.parse(JSON.parse((await answerStatus({ db: bench.db, clock: bench.clock, config })).body));
    expect(status).toMatchObject({ last_success_at: null, next_at: expect.stringContaining('T02:00:00'), running: [] });
  });
});

describe('A run of every tenant that an operator asks for', () => {
  it('finds what any of them lacks, and shows the operator all of it and each tenant its part', async () => {
    await paid(bench);
    await paid(bench, { tenant: 'other' });
    const body = { start_date: '2020-01-01', end_date: bench.clock.now().toISOString().slice(0, 10), mode: 'report', reason: 'CronJob' };
    const { status, body: made } = await answerCreate(api(), ofEveryTenant(asked({ body })));
    const { id } = RunView.parse(JSON.parse(made));
    expect(status).toBe(201);
    await runOnce(runParts(bench), never);
    const seen = RunView.parse(JSON.parse((await answerGet(api(), ofEveryTenant(asked({ params: { id } })))).body));
    expect(seen).toMatchObject({ status: 'succeeded', every_tenant: true, counts: { missing_local: 2 } });
    const found = await answerDiscrepancies(api(), ofEveryTenant(asked({ params: { id } })));
    expect((JSON.parse(found.body) as { data: unknown[] }).data).toHaveLength(2);
    expect(await view(id, 'other')).toMatchObject({ counts: { missing_local: 1 } });
  });

  it("tells nobody but operators why it was asked for, which may be another tenant's affair", async () => {
    const day = bench.clock.now().toISOString().slice(0, 10);
    const body = { start_date: day, end_date: day, mode: 'report', reason: 'acme says that it was charged twice' };
    const { id } = RunView.parse(JSON.parse((await answerCreate(api(), ofEveryTenant(asked({ body })))).body));
    await runOnce(runParts(bench), never);
    expect([(await view(id, 'other')).reason, (await runs({}, 'other')).map(({ reason }) => reason)]).toEqual([null, [null]]);
    const seen = await answerGet(api(), ofEveryTenant(asked({ params: { id } })));
    expect(RunView.parse(JSON.parse(seen.body)).reason).toBe(body.reason);
  });
});

describe('The rolling compare', () => {
  it('looks at what was made since the one before, and is no freshness of days', async () => {
    const rolling = () => makeDueRuns(schedule({ cron: null, rollingSeconds: 300 }));
    bench.advance(600);
    const lost = await paid(bench);
    bench.advance(2);
    expect(await rolling()).toBe(1);
    expect(await rolling()).toBe(0);
    expect(await runOnce(runParts(bench), never)).toBe(0);
    expect(await runOnce(runParts(bench), never, undefined, 'rolling')).toBe(1);
    const [run] = await runs({ trigger: 'rolling' });
    expect(run).toMatchObject({ status: 'succeeded', counts: { missing_local: 1, refund_mismatch: 0 } });
    expect((await rows(run!.id)).map((row) => row.stripe_id)).toEqual([lost.stripe_payment_intent]);
    const { rows: fresh } = await sql<{
      n: number;
    }>`SELECT count(*)::int AS n FROM runs WHERE status = 'succeeded' AND trigger <> 'rolling'`.execute(bench.db);
    expect(fresh).toEqual([{ n: 0 }]);
    const told = bench.metrics.registry.getSingleMetric('billing_reconciliation_rolling_last_success_timestamp');
    expect((await told!.get()).values).toMatchObject([{ value: expect.closeTo(Date.parse(run!.finished_at!) / 1000, 1) }]);
    bench.advance(300);
    await record(bench, lost);
    await rolling();
    await runOnce(runParts(bench), never, undefined, 'rolling');
    expect((await runs({ trigger: 'rolling' }))[0]).toMatchObject({ counts: { missing_local: 0 }, comparison: { gone: 1 } });
  });

  it('repairs where the schedule is told to', async () => {
    bench.advance(600);
    await paid(bench);
    bench.advance(2);
    await makeDueRuns(schedule({ cron: null, rollingSeconds: 300, mode: 'repair' }));
    const repair = new AskedPayments();
    await runOnce(runParts(bench, { repair }), never, undefined, 'rolling');
    expect(repair.requests).toMatchObject([{ tenant: 'default' }]);
  });
});

describe('A dead-man’s switch', () => {
  it('and the freshness follow no run that left out a tenant, a class or yesterday', async () => {
    const config = { RECONCILIATION_CRON: '0 2 * * *', RECONCILIATION_ROLLING_SECONDS: 300 };
    const lastSuccess = async () => {
      const { body } = await answerStatus({ db: bench.db, clock: bench.clock, config });
      return ReconciliationStatusView.parse(JSON.parse(body)).last_success_at;
    };
    let heard = 0;
    const changes = { succeeded: () => (heard += 1) };
    const today = bench.clock.now().toISOString().slice(0, 10);
    for (const body of [{ classes: ['missing_local'] }, { end_date: '2020-12-31' }, { start_date: today }])
      expect(await reconcile(body, changes, ofEveryTenant)).toMatchObject({ status: 'succeeded' });
    expect(await reconcile({}, changes)).toMatchObject({ status: 'succeeded' });
    expect([heard, await lastSuccess()]).toEqual([0, null]);
    const installed = await bench.metrics.registry.getSingleMetricAsString('billing_reconciliation_last_success_timestamp');
    bench.advance(120);
    await reconcile({}, changes, ofEveryTenant);
    expect([heard, await lastSuccess()]).toEqual([1, expect.any(String)]);
    expect(await bench.metrics.registry.getSingleMetricAsString('billing_reconciliation_last_success_timestamp')).not.toBe(installed);
  });

  it('takes a day for a day of UTC, where the clocks of the database are put back, too', async () => {
    const fresh = await bench.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL TimeZone = 'Europe/Berlin'`.execute(tx);
      return sql<{ fresh: boolean }>`
        SELECT ${TELLS_FRESHNESS} AS fresh FROM (VALUES ('api', '*', NULL::text[], '2026-10-25T00:00Z'::timestamptz, '2026-10-27T00:00Z'::timestamptz,
          '2026-10-26T08:00Z'::timestamptz)) AS run(trigger, tenant, classes, period_start, period_end, created_at)`.execute(tx);
    });
    expect(fresh.rows).toEqual([{ fresh: true }]);
  });

  it('hears of each run of days that succeeded, of no other, and is tried again', async () => {
    const heard: string[] = [];
    const server = createServer((request, response) => {
      heard.push(request.url ?? '');
      response.writeHead(heard.length === 1 ? 500 : 200).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping`;
    const succeeded = () => void ping(url, silent);
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/refunds', times: 1 } as never);
    await reconcile({}, { patienceMs: 0, succeeded }, ofEveryTenant);
    expect(heard).toEqual([]);
    await reconcile({}, { succeeded }, ofEveryTenant);
    await eventually(() => expect(heard).toEqual(['/ping', '/ping']));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
