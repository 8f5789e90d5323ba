import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RunView } from '@tidegate/contracts/responses';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { RpcUnavailable } from '@tidegate/messaging/rpc';
import { FAILPOINTS } from '../src/failpoints.js';
import type { UsageComparer, UsageDifference, UsageQuery } from '../src/compare/usage.port.js';
import { EVERY_TENANT } from '../src/run/comparison.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate } from '../src/run/run.rpc.js';
import { parseCron } from '../src/schedule/cron.decide.js';
import { makeDueRuns } from '../src/schedule/schedule.loop.js';
import { AskedPayments, clean, noUsage, openWorkbench, routeRequest, runParts, seenRun, silent, type Workbench } from './workbench.js';

let bench: Workbench;
const never = new AbortController().signal;

beforeAll(async () => {
  bench = await openWorkbench({ balanceDelayMs: 3_600_000 });
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

const today = () => bench.clock.now().toISOString().slice(0, 10);

async function request(body: object = {}, changes: Parameters<typeof routeRequest>[0] = {}): Promise<string> {
  const day = today();
  const api = { ...runParts(bench), requested: () => undefined };
  const reply = await answerCreate(
    api,
    routeRequest({ body: { start_date: day, end_date: day, mode: 'report', reason: 'spec', ...body }, ...changes }),
  );
  return RunView.parse(JSON.parse(reply.body)).id;
}

const seen = (id: string) => seenRun(bench, id);

async function reconcile(changes: Partial<RunParts> = {}, body: object = {}) {
  const id = await request(body);
  await runOnce(runParts(bench, changes), never);
  return seen(id);
}

const hour = () => `${today()}T00:00:00.000Z`;

const differs = (customer: string, changes: Partial<UsageDifference> = {}): UsageDifference => ({
  tenant: 'default',
  customer,
  meter: 'calls/eu west',
  hour: hour(),
  local: '12.5',
  remote: '0',
  reason: 'stripe_differs',
  repairable: true,
  ...changes,
});

/** Payments as the service that compares: what it tells, page by page, and what it was asked. */
class ComparingPayments implements UsageComparer {
  readonly asked: UsageQuery[] = [];
  readonly hours: string[] = [];
  fails: (nth: number) => unknown = () => null;

  constructor(
    readonly pages: UsageDifference[][],
    private readonly settled: readonly string[] = [],
  ) {}

  page: UsageComparer['page'] = async (query) => {
    this.asked.push(query);
    const failure = this.fails(this.asked.length);
    if (failure instanceof Error) throw failure;
    if (failure) return { kind: 'refused', retryAfterMs: 50 };
    const at = Number(query.cursor ?? 0);
    const differences = this.pages[at] ?? [];
    const next_cursor = at + 1 < this.pages.length ? String(at + 1) : null;
    return { kind: 'ok', value: { compared: 10, differences, next_cursor }, requestId: null };
  };

  hour: UsageComparer['hour'] = async ({ customer, meter, hour: of }) => {
    this.hours.push(customer);
    const found = this.settled.includes(customer)
      ? undefined
      : this.pages.flat().find((one) => one.customer === customer && one.meter === meter && one.hour === of);
    return { kind: 'ok', value: found ?? null, requestId: null };
  };

  billed = noUsage.billed;
}

describe('Usage in a run of days', () => {
  it('is named where it still differs in a second look, with what would heal it, and what nothing heals', async () => {
    const usage = new ComparingPayments(
      [
        [differs('cus_A'), differs('cus_B')],
        [],
        [
          differs('cus_C', { reason: 'expired', repairable: false }),
          differs('cus_D', { reason: 'not_ours', repairable: false, local: '0', remote: '9' }),
        ],
      ],
      ['cus_B'],
    );
    const { run, rows } = await reconcile({ usage });
    expect(run).toMatchObject({ status: 'succeeded', counts: { ...clean, usage_mismatch: 3 }, progress: { objects: 30 } });
    const id = (customer: string) => `${customer}/calls/eu west/${hour().slice(0, 13)}`;
    expect(rows.map((row) => [row.class, row.stripe_id, row.local, row.remote, row.proposed_repair, row.applied])).toEqual([
      ['usage_mismatch', id('cus_A'), '12.5', '0', 'report_usage', false],
      ['usage_mismatch', id('cus_C'), '12.5, some of it too old for Stripe', '0', null, false],
      ['usage_mismatch', id('cus_D'), '0 reported here', '9', null, false],
    ]);
    expect(usage.asked.map(({ cursor }) => cursor)).toEqual([null, '1', '2']);
    expect(usage.asked[0]).toMatchObject({ tenant: 'default', unconfirmedToo: false });
    expect(usage.hours).toEqual(['cus_A', 'cus_B', 'cus_C', 'cus_D']);
  });

  it('is repaired by payments, asked for once though the process dies before the end, and the next run is clean', async () => {
    const usage = new ComparingPayments([[differs('cus_A'), differs('cus_B', { repairable: false })]]);
    const repair = new AskedPayments();
    const id = await request({ mode: 'repair' });
    const failpoints = failpointsFrom('reconciliation.run.finish.before_commit:error:1', FAILPOINTS, silent);
    await expect(runOnce(runParts(bench, { usage, repair, failpoints }), never)).rejects.toThrow('on purpose');
    await runOnce(runParts(bench, { usage, repair }), never);
    const { run, rows } = await seen(id);
    expect([run.status, rows.map((row) => [row.applied, row.reason])]).toEqual([
      'succeeded',
      [
        [true, null],
        [false, 'not repaired automatically'],
      ],
    ]);
    expect(repair.usage).toEqual([
      {
        tenant: 'default',
        customer: 'cus_A',
        meter: 'calls/eu west',
        hour: hour(),
        reason: `reconciliation ${id}: usage_mismatch`,
        actor: 'service:reconciliation',
      },
    ]);
    expect(usage.asked).toHaveLength(1);
    expect((await reconcile({ usage: new ComparingPayments([[]]) })).run.counts).toEqual(clean);
  });

  it('goes on with the page after the last one that was recorded when the process is killed', async () => {
    const pages = ['cus_A', 'cus_B', 'cus_C', 'cus_D'].map((customer) => [differs(customer)]);
    const killed = new ComparingPayments(pages);
    const stop = new AbortController();
    killed.fails = (nth) => {
      if (nth === 3) stop.abort(new Error('killed'));
      return nth === 3 ? new Error('killed') : null;
    };
    const id = await request();
    await runOnce(runParts(bench, { usage: killed }), stop.signal);
    const next = new ComparingPayments(pages);
    await runOnce(runParts(bench, { usage: next }), never);
    expect(next.asked.map(({ cursor }) => cursor)).toEqual(['2', '3']);
    expect((await seen(id)).rows.map((row) => row.stripe_id?.slice(0, 5))).toEqual(['cus_A', 'cus_B', 'cus_C', 'cus_D']);
  });

  it.each([
    ['Stripe', (): unknown => true, /Stripe could not be read/],
    ['payments', (): unknown => new RpcUnavailable('payments.rpc.usage.compare.v1', 'nobody is there'), /nobody is there/],
  ] as const)('that %s tells nothing of makes the run failed, with nothing found', async (_, fails, failure) => {
    const usage = new ComparingPayments([[differs('cus_A')], []]);
    usage.fails = (nth) => (nth > 1 ? fails() : null);
    let pinged = false;
    const id = await request();
    await runOnce(runParts(bench, { usage, succeeded: () => void (pinged = true) }), never);
    expect([(await seen(id)).run.status, (await seen(id)).rows, pinged]).toEqual(['failed', [], false]);
    const row = await bench.db.selectFrom('runs').select('failure').where('run_id', '=', id).executeTakeFirstOrThrow();
    expect(row.failure).toMatch(failure);
  });

  it('is asked for by runs that want its class, daily with what nobody has confirmed, and never by the rolling compare', async () => {
    const usage = new ComparingPayments([[differs('cus_A')]]);
    await reconcile({ usage }, { classes: ['receipt_missing'] });
    expect(usage.asked).toEqual([]);
    const schedule = { ...runParts(bench), cron: null, days: 1, rollingSeconds: 1, mode: 'report' as const, requested: () => undefined };
    bench.advance(2);
    await makeDueRuns(schedule);
    expect(await runOnce(runParts(bench, { usage }), never, () => undefined, 'rolling')).toBe(1);
    expect(usage.asked).toEqual([]);
    bench.advance(120);
    await makeDueRuns({ ...schedule, cron: parseCron('* * * * *'), rollingSeconds: 0 });
    expect(await runOnce(runParts(bench, { usage }), never)).toBe(1);
    expect(usage.asked).toMatchObject([{ tenant: null, unconfirmedToo: true }]);
  });

  it('is asked for with what nobody has confirmed by what an operator or a CronJob runs in place of the daily one', async () => {
    const usage = new ComparingPayments([[], []]);
    const dayAgo = (days: number) => new Date(bench.clock.now().getTime() - days * 86_400_000).toISOString().slice(0, 10);
    await request({ start_date: dayAgo(3) }, { tenant: EVERY_TENANT });
    expect(await runOnce(runParts(bench, { usage }), never)).toBe(1);
    await request({ start_date: dayAgo(3), end_date: dayAgo(2) }, { tenant: EVERY_TENANT });
    expect(await runOnce(runParts(bench, { usage }), never)).toBe(1);
    expect([...new Set(usage.asked.map(({ unconfirmedToo }) => unconfirmedToo))]).toEqual([true, false]);
  });

  it('stays known as the same disagreement although rolling compares, which do not look at it, found nothing', async () => {
    const usage = new ComparingPayments([[differs('cus_A')]]);
    const first = await reconcile({ usage });
    expect(first.rows.map((row) => row.state)).toEqual(['new']);
    bench.advance(2);
    await makeDueRuns({ ...runParts(bench), cron: null, days: 1, rollingSeconds: 1, mode: 'report', requested: () => undefined });
    await runOnce(runParts(bench, { usage }), never, () => undefined, 'rolling');
    expect((await reconcile({ usage })).rows.map((row) => [row.state, row.first_seen])).toEqual([
      ['persisting', first.rows[0]!.first_seen],
    ]);
  });
});
