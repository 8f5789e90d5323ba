import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runFinished } from '@tidegate/contracts/events/reconciliation-run';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import { sql } from 'kysely';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import { EVERY_TENANT } from '../src/run/comparison.js';
import { executeRun, type RunParts } from '../src/run/run.flow.js';
import { nextOpenRun } from '../src/run/run.store.js';
import {
  AskedPayments,
  clean,
  dashboard,
  inbox,
  must,
  openWorkbench,
  paid,
  record,
  routeRequest,
  runParts,
  snapshot,
  type Workbench,
} from './workbench.js';

let bench: Workbench;
const never = new AbortController().signal;

beforeAll(async () => {
  // Pages are counted: no balance transaction comes while one runs.
  bench = await openWorkbench({ balanceDelayMs: 3_600_000 });
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

const today = () => bench.clock.now().toISOString().slice(0, 10);

async function request(body: object = {}, tenant = 'default'): Promise<string> {
  const api = { ...runParts(bench), requested: () => undefined };
  const reply = await answerCreate(
    api,
    routeRequest({ tenant, body: { start_date: today(), end_date: today(), mode: 'report', reason: 'spec', ...body } }),
  );
  expect(reply.status).toBe(201);
  return RunView.parse(JSON.parse(reply.body)).id;
}

async function view(id: string, tenant = 'default'): Promise<{ run: RunView; rows: DiscrepancyView[] }> {
  const api = { ...runParts(bench), requested: () => undefined };
  const run = RunView.parse(JSON.parse((await answerGet(api, routeRequest({ tenant, params: { id } }))).body));
  const page = JSON.parse((await answerDiscrepancies(api, routeRequest({ tenant, params: { id }, query: { limit: '100' } }))).body) as {
    data: unknown[];
  };
  return { run, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}

/** Requests a run and executes it to its end. */
async function reconcile(changes: Partial<RunParts> = {}, body: object = {}, tenant = 'default') {
  const id = await request(body, tenant);
  expect(await runOnce(runParts(bench, changes), never)).toBe(1);
  return view(id, tenant);
}

describe('When both sides agree', () => {
  it('a run reads every page, finds nothing and says so to others', async () => {
    for (let i = 0; i < 103; i += 1) await record(bench, await paid(bench, { confirm: false }));
    await record(bench, await paid(bench));
    await record(bench, await paid(bench, { manual: true }));
    await record(bench, snapshot(bench, { status: 'failed' }));
    await record(bench, snapshot(bench, { status: 'queued' }));

    const { run, rows } = await reconcile();
    expect(rows).toEqual([]);
    // Two pages of intents, one of charges, and an empty one each of refunds, disputes, sessions, subscriptions, invoices, balance transactions, and invoices
    // once more for the usage that they bill.
    expect(run).toMatchObject({
      status: 'succeeded',
      counts: clean,
      progress: { pages: 10, objects: 107, percent: 100, phase: 'ended' },
      finished_at: expect.any(String),
    });
    const outbox = await sql<{
      subject: string;
      body: string;
    }>`SELECT subject, convert_from(bytes, 'UTF8') AS body FROM outbox WHERE aggregate = ${run.id}`.execute(bench.db);
    expect(outbox.rows.map((row) => row.subject)).toEqual([runFinished.subject]);
    expect(runFinished.data.parse(JSON.parse(outbox.rows[0]!.body).data)).toMatchObject({
      run_id: run.id,
      status: 'succeeded',
      counts: run.counts,
    });
    expect(await bench.db.selectFrom('run_seen').selectAll().execute()).toEqual([]);
  });

  it('refunds agree too', async () => {
    const payment = await paid(bench);
    const refund = must(
      await bench.stripe.createRefund(
        {
          intent: payment.stripe_payment_intent!,
          amount: 100,
          metadata: { refund_id: 'rfd_00000001', payment_id: payment.payment_id, tenant_id: 'default' },
        },
        'r1',
      ),
    );
    await record(bench, {
      ...payment,
      refunds: [{ id: 'rfd_00000001', status: 'succeeded', amount: 100, reason: null, stripe_refund: refund.id }],
    });
    expect((await reconcile()).run.counts).toEqual(clean);
  });
});

describe('Each disagreement is named', () => {
  it('missing_local: a payment that Stripe has and we do not', async () => {
    const lost = await paid(bench);
    await record(bench, await paid(bench));
    const { run, rows } = await reconcile();
    expect(rows).toMatchObject([
      {
        class: 'missing_local',
        object: 'payment',
        payment_id: lost.payment_id,
        stripe_id: lost.stripe_payment_intent,
        local: null,
        remote: 'succeeded 4200 usd',
      },
    ]);
    expect(run).toMatchObject({ status: 'succeeded', counts: { ...clean, missing_local: 1 } });
  });

  it('missing_remote: an intent that Stripe does not have, and an unknown payment that never got one', async () => {
    await record(bench, snapshot(bench, { stripe_payment_intent: 'pi_gone', amount_captured: 4200 }));
    await record(bench, snapshot(bench, { status: 'unknown' }));
    const { rows } = await reconcile();
    expect(rows).toMatchObject([
      { class: 'missing_remote', stripe_id: 'pi_gone', local: 'succeeded', remote: null, proposed_repair: null },
      { class: 'missing_remote', stripe_id: null, local: 'unknown', remote: null, proposed_repair: 'look_up' },
    ]);
  });

  it('status_mismatch: what somebody did in the dashboard without telling us, and an answer that was lost', async () => {
    const authorized = await paid(bench, { manual: true });
    const lost = await paid(bench);
    await record(bench, authorized);
    await record(bench, { ...lost, status: 'unknown', stripe_payment_intent: null, amount_captured: 0 });
    await dashboard(bench, 'cancel', { payment_intent: authorized.stripe_payment_intent, silent: true });

    const { rows } = await reconcile();
    expect(rows.map(({ class: name, payment_id, local, remote }) => [name, payment_id, local, remote]).sort()).toEqual(
      [
        ['status_mismatch', authorized.payment_id, 'authorized', 'canceled'],
        ['status_mismatch', lost.payment_id, 'unknown', 'succeeded'],
      ].sort(),
    );
  });

  it('amount_mismatch and refund_mismatch: other amounts of payments and refunds', async () => {
    const payment = await paid(bench);
    const refund = must(
      await bench.stripe.createRefund(
        { intent: payment.stripe_payment_intent!, amount: 100, metadata: { refund_id: 'rfd_00000002', tenant_id: 'default' } },
        'r2',
      ),
    );
    await record(bench, {
      ...payment,
      amount: 4300,
      refunds: [{ id: 'rfd_00000002', status: 'succeeded', amount: 99, reason: null, stripe_refund: refund.id }],
    });
    const { rows } = await reconcile();
    expect(rows).toMatchObject([
      { class: 'amount_mismatch', object: 'payment', local: '4300 usd', remote: '4200 usd' },
      { class: 'refund_mismatch', object: 'refund', stripe_id: refund.id, local: 'succeeded 99 usd', remote: 'succeeded 100 usd' },
    ]);
  });

  it('refund_mismatch: a refund made in the dashboard, and one that Stripe does not have', async () => {
    const payment = await paid(bench);
    await record(bench, {
      ...payment,
      refunds: [{ id: 'rfd_00000003', status: 'pending', amount: 50, reason: null, stripe_refund: 're_gone' }],
    });
    await dashboard(bench, 'refund', { payment_intent: payment.stripe_payment_intent, amount: 70, silent: true });
    const { rows } = await reconcile();
    expect(rows).toMatchObject([
      { class: 'refund_mismatch', object: 'refund', local: null, remote: 'succeeded 70 usd' },
      { class: 'refund_mismatch', object: 'refund', stripe_id: 're_gone', local: 'pending 50 usd', remote: null },
    ]);
  });

  it('only in the classes that were asked for', async () => {
    await paid(bench);
    await record(bench, snapshot(bench, { stripe_payment_intent: 'pi_gone' }));
    const { run, rows } = await reconcile({}, { classes: ['missing_remote'] });
    expect(rows.map((row) => row.class)).toEqual(['missing_remote']);
    expect(run.counts).toEqual({ missing_remote: 1, foreign: 0, fee_pending: expect.any(Number) });
  });

  it('with the time it was first seen, run after run', async () => {
    await paid(bench);
    const first = await reconcile();
    bench.advance(120);
    const second = await reconcile({}, { start_date: first.run.start_date });
    expect(second.rows[0]!.first_seen).toBe(first.rows[0]!.first_seen);
    expect(second.rows[0]!.age_seconds).toBeGreaterThanOrEqual(120);
  });
});

describe('What is none of our business', () => {
  it('is counted when unmarked intents are declared foreign, and named when they are not', async () => {
    await paid(bench, { marked: false });
    expect((await reconcile({ rules: { livemode: false, unmarked: 'foreign', accountTenant: 'default' } })).run.counts).toEqual({
      ...clean,
      foreign: 1,
    });
    expect((await reconcile()).run.counts).toEqual({ ...clean, missing_local: 1 });
  });

  it('and named by nobody is of the account’s tenant, and no other sees it', async () => {
    await paid(bench, { marked: false });
    const rules = { livemode: false, unmarked: 'adopt' as const, accountTenant: 'shop' };
    expect((await reconcile({ rules })).run.counts).toEqual(clean);
    expect((await reconcile({ rules }, {}, 'shop')).run.counts).toEqual({ ...clean, missing_local: 1 });
    // Of a tenant that cannot be, such as the name for all of them, it would be shown to nobody.
    await paid(bench, { tenant: '*' });
    expect((await reconcile({ rules }, {}, 'shop')).run.counts).toEqual({ ...clean, missing_local: 2 });
  });

  it('another tenant sees nothing of, neither in its own runs nor by id', async () => {
    await paid(bench, { tenant: 'other' });
    const { run } = await reconcile();
    expect(run.counts).toEqual(clean);
    const api = { ...runParts(bench), requested: () => undefined };
    expect((await answerGet(api, routeRequest({ tenant: 'other', params: { id: run.id } }))).status).toBe(404);
    expect((await answerDiscrepancies(api, routeRequest({ tenant: 'other', params: { id: run.id } }))).status).toBe(404);
    expect((await reconcile({}, {}, 'other')).run.counts).toEqual({ ...clean, missing_local: 1 });
  });

  it('days outside the period are not compared', async () => {
    await paid(bench);
    const { run } = await reconcile({}, { start_date: '2020-01-01', end_date: '2020-01-31' });
    expect(run).toMatchObject({ counts: clean, progress: { objects: 0 } });
  });
});

describe('A disagreement that does not persist', () => {
  it('is none: news that was on its way arrives before the second read', async () => {
    const late = await paid(bench);
    expect((await reconcile({ inbox: inbox(() => record(bench, late)) })).run.counts).toEqual(clean);
  });

  it('in status waits until our side has been quiet', async () => {
    const lost = await paid(bench);
    await record(bench, { ...lost, status: 'unknown', stripe_payment_intent: null, amount_captured: 0 });
    let rounds = 0;
    const caughtUp = async () => {
      rounds += 1;
      if (rounds === 3) await record(bench, lost);
    };
    expect((await reconcile({ inbox: inbox(caughtUp), quietMs: 60_000 })).run.counts).toEqual(clean);
    expect(rounds).toBe(3);
  });
});

describe('A run that cannot read everything', () => {
  it('fails, finds nothing and says why', async () => {
    await paid(bench);
    bench.simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/refunds', times: 1000 } as never);
    const { run, rows } = await reconcile();
    expect(run).toMatchObject({ status: 'failed', counts: {}, reason: expect.stringContaining('Stripe could not be read') });
    expect(rows).toEqual([]);
    expect(await bench.metrics.registry.metrics()).toContain('job_errors_total{job="reconciliation",error_type="stripe_unavailable"} 1');
  });

  it('says which service failed, and not with the words of its database: a tenant reads it', async () => {
    await paid(bench);
    const broken = inbox(() => Promise.reject(new RpcFailed('payments.rpc.outbox.read.v1', 'connect ECONNREFUSED 10.0.0.7:5432')));
    const { run } = await reconcile({ inbox: broken });
    expect(run).toMatchObject({ status: 'failed', reason: 'payments.rpc.outbox.read.v1: it failed there' });
  });

  it('succeeds when Stripe answers in time after all', async () => {
    bench.simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/payment_intents', times: 1 } as never);
    expect((await reconcile({ patienceMs: 5000 })).run.status).toBe('succeeded');
  });

  it('fails when payments does not tell how far its news reach', async () => {
    await paid(bench);
    const away = inbox(() => Promise.reject(new RpcUnavailable('payments.rpc.outbox.read.v1', 'the broker is away')));
    expect((await reconcile({ inbox: away })).run).toMatchObject({ status: 'failed' });
  });

  it('goes on after a restart from its first page, and ends once', async () => {
    await record(bench, { ...(await paid(bench)), status: 'unknown' });
    const id = await request();
    const stopping = new AbortController();
    const dying = runParts(bench, { inbox: inbox(() => stopping.abort()), quietMs: 60_000 });
    await runOnce(dying, stopping.signal);
    expect((await view(id)).run.status).toBe('running');

    await Promise.all([runOnce(runParts(bench), never), runOnce(runParts(bench), never)]);
    const { run, rows } = await view(id);
    expect([run.status, rows.length]).toEqual(['succeeded', 1]);
    const outbox = await sql`SELECT 1 FROM outbox WHERE aggregate = ${id}`.execute(bench.db);
    expect(outbox.rows).toHaveLength(1);
  });
});

describe('A leader that was paused in a run and replaced', () => {
  it('leaves the run to the new one: neither its figures nor its working rows are touched', async () => {
    for (let i = 0; i < 3; i += 1) await record(bench, await paid(bench, { confirm: false }));
    const id = await request();
    let goOn: () => void = () => undefined;
    const paused = new Promise<void>((resolve) => (goOn = resolve));
    let reached: () => void = () => undefined;
    const inTheMiddle = new Promise<void>((resolve) => (reached = resolve));
    const { stripe } = bench;
    const pausing = {
      ...stripe,
      listIntents: async (query: Parameters<typeof stripe.listIntents>[0]) => {
        const page = await stripe.listIntents(query);
        reached();
        await paused;
        return page;
      },
    };
    const old = runOnce(runParts(bench, { stripe: pausing }), never);
    await inTheMiddle;
    let resumed = false;
    const during = {
      ...pausing,
      listIntents: stripe.listIntents,
      listRefunds: async (query: Parameters<typeof stripe.listRefunds>[0]) => {
        goOn();
        await old;
        resumed = true;
        return stripe.listRefunds(query);
      },
    };
    await runOnce(runParts(bench, { stripe: during }), never);
    expect(resumed).toBe(true);
    expect((await view(id)).run).toMatchObject({ status: 'succeeded', progress: { pages: 9, objects: 3 } });
    expect(await bench.db.selectFrom('run_seen').selectAll().execute()).toEqual([]);
    expect(await bench.db.selectFrom('run_progress').selectAll().execute()).toEqual([]);
  });
});

describe('A leader that takes up a run while the one before ends it', () => {
  it('ends it no second time and leaves nothing behind', async () => {
    await paid(bench);
    const id = await request();
    const taken = await nextOpenRun(bench.db);
    await runOnce(runParts(bench), never);
    await executeRun(runParts(bench), taken!, { stopping: never, alive: () => undefined });
    expect((await view(id)).rows).toHaveLength(1);
    expect(await bench.db.selectFrom('run_progress').selectAll().execute()).toEqual([]);
    expect(await bench.db.selectFrom('run_seen').selectAll().execute()).toEqual([]);
  });
});

describe('Runs that wait', () => {
  const executed = async (count: number): Promise<string[]> => {
    const order: string[] = [];
    for (let n = 0; n < count; n += 1) {
      order.push((await nextOpenRun(bench.db))?.run_id ?? 'none');
      expect(await runOnce(runParts(bench), never)).toBe(1);
    }
    return order;
  };

  it('are executed in turn, however many a tenant has asked for: neither another one nor the schedule waits for all of them', async () => {
    const busy: string[] = [];
    for (let n = 0; n < 3; n += 1) busy.push(await request({}, 'busy'));
    const [other, every] = [await request({}, 'other'), await request({}, EVERY_TENANT)];
    expect(await executed(5)).toEqual([busy[0], other, every, busy[1], busy[2]]);
    const [late, soon] = [await request({}, 'busy'), await request({}, 'other')];
    expect(await executed(2)).toEqual([soon, late]);
  });

  it('are found however many of them there are', async () => {
    const [first] = [await request({}, 'busy'), await runOnce(runParts(bench), never)];
    await sql`
      INSERT INTO runs (run_id, tenant, status, mode, start_date, end_date, reason, actor, request_hash, pages, objects, counts, created_at)
      SELECT 'rec_' || lpad(n::text, 32, '0'), tenant, 'running', mode, start_date, end_date, reason, actor, request_hash, 0, 0, counts,
        created_at + n * interval '1 ms' FROM runs, generate_series(1, 100000) AS n WHERE run_id = ${first}`.execute(bench.db);
    const other = await request({}, 'other');
    expect((await nextOpenRun(bench.db))?.run_id).toBe(other);
    await sql`DELETE FROM runs WHERE run_id = ${other}`.execute(bench.db);
    expect((await nextOpenRun(bench.db))?.run_id).toBe(`rec_${'1'.padStart(32, '0')}`);
  }, 60_000);

  it('wait for one that was begun', async () => {
    await reconcile({}, {}, 'other');
    const begun = await request({}, 'other');
    await runOnce(runParts(bench), AbortSignal.abort());
    const first = await request({}, 'newcomer');
    expect(await executed(2)).toEqual([begun, first]);
  });
});

describe('A run in repair mode', () => {
  it('has payments look up what it found, and says what it did not', async () => {
    const lost = await paid(bench);
    await record(bench, { ...lost, status: 'unknown', stripe_payment_intent: null, amount_captured: 0 });
    const unrecorded = await paid(bench);
    const repair = new AskedPayments();
    const { run, rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(repair.requests.map(({ payment_id, stripe_payment_intent, reason }) => [payment_id, stripe_payment_intent, reason])).toEqual([
      [unrecorded.payment_id, unrecorded.stripe_payment_intent, `reconciliation ${run.id}: missing_local`],
      [lost.payment_id, lost.stripe_payment_intent, `reconciliation ${run.id}: status_mismatch`],
    ]);
    const applied = Object.fromEntries(rows.map((row) => [row.payment_id, [row.proposed_repair, row.applied, row.reason]]));
    expect(applied).toEqual({ [lost.payment_id]: ['look_up', true, null], [unrecorded.payment_id]: ['adopt', true, null] });
  });

  it('says what nobody can repair, and what payments refuses', async () => {
    await record(bench, snapshot(bench, { stripe_payment_intent: 'pi_gone' }));
    await paid(bench);
    const repair = new AskedPayments();
    repair.answer = { kind: 'refused', status: 404, code: 'not_found' };
    const { rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(rows.map((row) => [row.class, row.applied, row.reason])).toEqual([
      ['missing_local', false, 'not_found'],
      ['missing_remote', false, 'not repaired automatically'],
    ]);
  });

  it('tells what it found although payments gives no answer to a repair', async () => {
    const lost = await paid(bench);
    await record(bench, { ...lost, status: 'unknown', stripe_payment_intent: null, amount_captured: 0 });
    const repair = new AskedPayments();
    repair.answer = new RpcTimeout('payments.rpc.payment.repair.v1');
    const { run, rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(run).toMatchObject({ status: 'succeeded', counts: { ...clean, status_mismatch: 1 } });
    expect(rows).toMatchObject([{ applied: false, proposed_repair: 'look_up', reason: 'payments gave no answer' }]);
  });

  it('changes nothing when it is to report only', async () => {
    await record(bench, { ...(await paid(bench)), status: 'unknown' });
    const repair = new AskedPayments();
    const { rows } = await reconcile({ repair });
    expect(repair.requests).toEqual([]);
    expect(rows).toMatchObject([{ applied: false, proposed_repair: 'look_up', reason: 'report only' }]);
  });
});
