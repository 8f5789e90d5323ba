import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exampleDispute } from '@tidegate/contracts/payment';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { RpcUnavailable } from '@tidegate/messaging/rpc';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import type { CompareStripe } from '../src/compare/kind.js';
import type { RunParts } from '../src/run/run.flow.js';
import { EVERY_TENANT } from '../src/run/comparison.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import {
  AskedPayments,
  clean,
  dashboard,
  inbox,
  must,
  opened,
  openWorkbench,
  paid,
  record,
  recordOpened,
  recordWithoutReceipt,
  routeRequest,
  runParts,
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

const api = () => ({ ...runParts(bench), requested: () => undefined });

async function request(body: object = {}, changes: Parameters<typeof routeRequest>[0] = {}): Promise<string> {
  const day = bench.clock.now().toISOString().slice(0, 10);
  const reply = await answerCreate(
    api(),
    routeRequest({ body: { start_date: day, end_date: day, mode: 'report', reason: 'spec', ...body }, ...changes }),
  );
  return RunView.parse(JSON.parse(reply.body)).id;
}

async function seen(id: string): Promise<{ run: RunView; rows: DiscrepancyView[] }> {
  const run = RunView.parse(JSON.parse((await answerGet(api(), routeRequest({ params: { id } }))).body));
  const page = JSON.parse((await answerDiscrepancies(api(), routeRequest({ params: { id } }))).body) as { data: unknown[] };
  return { run, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}

async function reconcile(changes: Partial<RunParts> = {}, body: object = {}) {
  const id = await request(body);
  await runOnce(runParts(bench, changes), never);
  return seen(id);
}

describe('Exactly this is named', () => {
  it('currency_mismatch: a payment that Stripe has in another currency', async () => {
    const payment = await paid(bench);
    await record(bench, payment);
    await dashboard(bench, 'edit', { id: payment.stripe_payment_intent, changes: { currency: 'eur' }, silent: true });
    const { rows } = await reconcile();
    expect(rows).toMatchObject([{ class: 'currency_mismatch', local: '4200 usd', remote: '4200 eur', proposed_repair: 'look_up' }]);
    expect(rows).toHaveLength(1);
  });

  it('dispute_mismatch: a dispute that nobody told us of, one in another state, and one that Stripe does not have', async () => {
    const [untold, other, gone] = [await paid(bench), await paid(bench), await paid(bench)];
    for (const payment of [untold, other])
      await dashboard(bench, 'dispute', { payment_intent: payment.stripe_payment_intent, silent: true });
    const [first] = must(await bench.stripe.listDisputes({ payment_intent: other.stripe_payment_intent! })).data;
    const at = bench.clock.now().toISOString();
    await record(bench, untold);
    await record(bench, { ...other, disputes: [{ ...exampleDispute, id: first!.id, status: 'lost', created_at: at }] });
    await record(bench, { ...gone, disputes: [{ ...exampleDispute, id: 'du_gone', created_at: at }] });
    const { run, rows } = await reconcile();
    expect(run.counts).toEqual({ ...clean, dispute_mismatch: 3 });
    expect(rows.map((row) => [row.local, row.remote, row.payment_id, row.proposed_repair]).sort()).toEqual(
      [
        [null, 'needs_response 4200 usd', null, 'look_up'],
        ['lost 4200 usd', 'needs_response 4200 usd', other.payment_id, 'look_up'],
        ['needs_response 4200 usd', null, gone.payment_id, null],
      ].sort(),
    );
  });

  it('duplicate_charge: a second intent of one payment that was paid, which is only ever proposed', async () => {
    const payment = await paid(bench);
    await record(bench, payment);
    const metadata = { payment_id: payment.payment_id, tenant_id: 'default' };
    const params = { amount: 4200, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata } as const;
    const second = must(await bench.stripe.createIntent(params, 'second'));
    must(await bench.stripe.confirmIntent(second.id, { paymentMethod: 'pm_card_visa' }, 'second:confirm'));
    const repair = new AskedPayments();
    const { rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(rows).toMatchObject([
      {
        class: 'duplicate_charge',
        payment_id: payment.payment_id,
        stripe_id: second.id,
        proposed_repair: 'refund_duplicate',
        applied: false,
      },
    ]);
    expect([rows.length, repair.requests]).toEqual([1, []]);
  });

  it('checkout_mismatch: a page that was paid silently, with the payment that it made; repair asks for both', async () => {
    const checkout = await opened(bench);
    const untouched = await opened(bench);
    await recordOpened(bench, checkout);
    await recordOpened(bench, untouched);
    await dashboard(bench, 'pay_checkout', { session: checkout.stripe_checkout_session, silent: true });
    const repair = new AskedPayments();
    const { run, rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(run.counts).toEqual({ ...clean, checkout_mismatch: 1 });
    expect(rows).toMatchObject([
      {
        object: 'checkout_session',
        local_id: checkout.checkout_id,
        local: 'open unpaid 4200 usd',
        remote: 'complete paid 4200 usd',
        applied: true,
      },
    ]);
    const intent = must(await bench.stripe.retrieveCheckoutSession(checkout.stripe_checkout_session!)).payment_intent;
    expect(repair.requests).toMatchObject([{ checkout_id: checkout.checkout_id }, { stripe_payment_intent: intent }]);
  });

  it('receipt_missing: a payment that succeeded and has no number; receipts is asked with what payments says of it', async () => {
    const payment = await paid(bench);
    await record(bench, await paid(bench));
    await recordWithoutReceipt(bench, payment);
    const repair = new AskedPayments();
    repair.answer = { kind: 'asked', told: { object: 'payment', tenant: 'default', version: 0, snapshot: payment } };
    const { run, rows } = await reconcile({ repair }, { mode: 'repair' });
    expect(run.counts).toEqual({ ...clean, receipt_missing: 1 });
    expect(rows).toMatchObject([{ object: 'receipt', payment_id: payment.payment_id, proposed_repair: 'issue_receipt', applied: true }]);
    expect(repair.receipts.map((one) => one.payment.payment_id)).toEqual([payment.payment_id]);
  });

  it('a payment that was made days ago and paid in the period, by its charge', async () => {
    const payment = await paid(bench, { confirm: false });
    await record(bench, payment);
    bench.advance(3 * 86_400);
    must(await bench.stripe.confirmIntent(payment.stripe_payment_intent!, { paymentMethod: 'pm_card_visa' }, 'late'));
    const { rows } = await reconcile();
    expect(rows).toMatchObject([
      { class: 'status_mismatch', payment_id: payment.payment_id, local: 'requires_payment_method', remote: 'succeeded' },
    ]);
    expect(rows).toHaveLength(1);
  });

  it('nothing, where only the fee is not known yet', async () => {
    bench.simulator.addFault({ fault: 'late_balance', ms: 3_600_000 } as never);
    await record(bench, await paid(bench));
    expect((await reconcile()).run.counts).toEqual({ ...clean, fee_pending: 1 });
  });
});

/** Stripe's lists with their calls counted, and something that happens at one of them. */
function counted(at: number, happens: () => void): CompareStripe & { calls: number } {
  const lists = [
    'listIntents',
    'listCharges',
    'listRefunds',
    'listDisputes',
    'listCheckoutSessions',
    'listSubscriptions',
    'listInvoices',
  ] as const;
  const counting = { ...bench.stripe, calls: 0 } as CompareStripe & { calls: number };
  for (const name of lists)
    counting[name] = (async (query: never) => {
      counting.calls += 1;
      if (counting.calls === at) happens();
      return bench.stripe[name](query);
    }) as never;
  return counting;
}

describe('When the process is killed at a page', () => {
  it('the next one reads only the pages that are left, and what the first found stays found', async () => {
    const lost = await paid(bench);
    for (let i = 0; i < 204; i += 1) await record(bench, await paid(bench, { confirm: false, amount: 100 + i }));
    const missing = await paid(bench);
    const id = await request();
    const dying = counted(3, () => {
      throw new Error('killed');
    });
    await expect(runOnce(runParts(bench, { stripe: dying }), never)).rejects.toThrow('killed');
    expect((await seen(id)).run).toMatchObject({ status: 'running', progress: { pages: 2, objects: 200, phase: 'listing' } });

    const next = counted(0, () => undefined);
    await runOnce(runParts(bench, { stripe: next }), never);
    const { run, rows } = await seen(id);
    // Three pages of intents, one of each other list; invoices are read once more for the usage that they bill.
    expect([run.status, run.progress.pages, next.calls]).toEqual(['succeeded', 11, 8]);
    expect(rows.map((row) => row.stripe_id).sort()).toEqual([lost.stripe_payment_intent, missing.stripe_payment_intent].sort());
    expect(await bench.db.selectFrom('run_suspects').selectAll().execute()).toEqual([]);
  });

  it('what was repaired is not asked for again', async () => {
    for (let i = 0; i < 3; i += 1) await paid(bench);
    const id = await request({ mode: 'repair' });
    const first = new AskedPayments();
    const lookUp = first.lookUp.bind(first);
    first.lookUp = async (one) => {
      if (first.requests.length === 2) throw new Error('killed');
      return lookUp(one);
    };
    await expect(runOnce(runParts(bench, { repair: first }), never)).rejects.toThrow('killed');
    const second = new AskedPayments();
    await runOnce(runParts(bench, { repair: second }), never);
    expect([first.requests.length, second.requests.length]).toEqual([2, 1]);
    expect((await seen(id)).rows.map((row) => row.applied)).toEqual([true, true, true]);
  });
});

describe('When the broker goes away between the two reads of a run that repairs', () => {
  it('the run fails and has found, asked for and told nothing; the next one asks for each repair once', async () => {
    for (let i = 0; i < 3; i += 1) await paid(bench);
    const repair = new AskedPayments();
    let fresh = 0;
    const parts = { repair, succeeded: () => void (fresh += 1) };
    const away = () => {
      throw new RpcUnavailable('outbox.read', 'nobody answers');
    };
    // Of every tenant and the whole day before, so that it tells how fresh the comparison is.
    const ofAll = { tenant: EVERY_TENANT };
    const days = { mode: 'repair', start_date: new Date(bench.clock.now().getTime() - 86_400_000).toISOString().slice(0, 10) };
    const lost = await request(days, ofAll);
    await runOnce(runParts(bench, { ...parts, inbox: inbox(away) }), never);
    const { run, rows } = await seen(lost);
    expect([run.status, rows, repair.requests, fresh]).toEqual(['failed', [], [], 0]);
    expect(await bench.db.selectFrom('run_suspects').selectAll().execute()).toEqual([]);

    const next = await request(days, ofAll);
    await runOnce(runParts(bench, parts), never);
    expect([(await seen(next)).run.status, repair.requests.length, fresh]).toEqual(['succeeded', 3, 1]);
  });
});

describe('A leader that was paused in a repair and replaced', () => {
  it('asks for nothing more: what is left is asked for once, by the new one', async () => {
    for (let i = 0; i < 3; i += 1) await paid(bench);
    const id = await request({ mode: 'repair' });
    const [first, second] = [new AskedPayments(), new AskedPayments()];
    const lookUp = first.lookUp.bind(first);
    first.lookUp = async (one) => {
      const answer = await lookUp(one);
      // Meanwhile another thinks that it leads, and executes the run to its end.
      await runOnce(runParts(bench, { repair: second }), never);
      return answer;
    };
    await runOnce(runParts(bench, { repair: first }), never);
    expect([first.requests.length, second.requests.length]).toEqual([1, 3]);
    const { run, rows } = await seen(id);
    expect([run.status, rows.map((row) => row.applied)]).toEqual(['succeeded', [true, true, true]]);
  });
});

describe('A leader that was paused in a page and replaced', () => {
  it('records nothing more, also when the one that replaced it has shut down and nobody goes on yet', async () => {
    await paid(bench, { marked: false });
    const id = await request();
    const rules = { livemode: false, unmarked: 'foreign' as const, accountTenant: 'default' };
    const read = 'reconciliation.run.read';
    let paused = false;
    const hit = async (name: string) => {
      if (paused || name !== `${read}.after_call`) return;
      paused = true;
      // Meanwhile another executes the run, and is told to stop when it has the same page.
      const shutdown = new AbortController();
      await runOnce(runParts(bench, { rules }), shutdown.signal, () => shutdown.abort());
    };
    await runOnce(runParts(bench, { rules, stripe: withFailpoints(bench.stripe, { hit }, read) }), never);
    await runOnce(runParts(bench, { rules }), never);
    expect((await seen(id)).run).toMatchObject({ status: 'succeeded', counts: { foreign: 1 } });
  });
});

describe('When Stripe turns calls away in the middle', () => {
  it.each(['rate_limit', 'error_503'])('by %s, the run waits and succeeds, or fails and says so; never half', async (fault) => {
    await paid(bench);
    bench.simulator.addFault({ fault, route: 'GET /v1/charges', times: 2 } as never);
    expect((await reconcile({ patienceMs: 5000 })).run).toMatchObject({ status: 'succeeded', counts: { missing_local: 1 } });
    bench.simulator.addFault({ fault, route: 'GET /v1/checkout/sessions', times: 0 } as never);
    const { run, rows } = await reconcile({ patienceMs: 100 }, { mode: 'repair' });
    expect([run.status, run.counts, rows]).toEqual(['failed', {}, []]);
  });

  it('a run that takes longer than its deadline fails, in the middle of a wait', async () => {
    bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/refunds', times: 0 } as never);
    const { run } = await reconcile({ patienceMs: 60_000, deadlineMs: 300 });
    expect(run).toMatchObject({ status: 'failed', reason: 'not done within 0 s' });
  });
});

describe('When what is recorded here is not what payments has published', () => {
  it('repair believes payments, so that the next run is clean', async () => {
    const payment = await paid(bench);
    await record(bench, payment);
    await bench.db
      .insertInto('inbox_generations' as never)
      .values({ consumer: 'reconciliation-payments', live: 1 } as never)
      .execute();
    await bench.db
      .insertInto('inbox_watermarks' as never)
      .values({ consumer: 'reconciliation-payments', generation: 1, stream: 'PAYMENTS_EVENTS', epoch: 1, position: 1 } as never)
      .execute();
    await bench.db.updateTable('recorded_payments').set({ status: 'canceled', amount_captured: 0 }).execute();
    const { version } = await bench.db.selectFrom('recorded_payments').select('version').executeTakeFirstOrThrow();
    const repair = new AskedPayments();
    repair.answer = { kind: 'asked', told: { object: 'payment', tenant: 'default', version, snapshot: payment } };
    expect((await reconcile({ repair }, { mode: 'repair' })).run.counts).toEqual({ ...clean, status_mismatch: 1 });
    expect((await reconcile()).run.counts).toEqual(clean);
  });
});
