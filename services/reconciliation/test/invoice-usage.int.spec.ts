import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BilledDifference, BilledUsage } from '@tidegate/contracts/rpc/billed-usage';
import { RunView } from '@tidegate/contracts/responses';
import type { CompareStripe } from '../src/compare/kind.js';
import type { UsageComparer } from '../src/compare/usage.port.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate } from '../src/run/run.rpc.js';
import { parseCron } from '../src/schedule/cron.decide.js';
import { makeDueRuns } from '../src/schedule/schedule.loop.js';
import { noUsage, openWorkbench, routeRequest, runParts, seenRun, type Workbench } from './workbench.js';

let bench: Workbench;
const never = new AbortController().signal;
const DAY = 86_400;

beforeAll(async () => {
  bench = await openWorkbench({ balanceDelayMs: 3_600_000 });
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
const now = () => Math.floor(bench.clock.now().getTime() / 1000);

async function request(body: object = {}): Promise<string> {
  const day = dayOf(now());
  const asked = { start_date: day, end_date: day, mode: 'report', reason: 'spec', classes: ['usage_mismatch'], ...body };
  const reply = await answerCreate({ ...runParts(bench), requested: () => undefined }, routeRequest({ body: asked }));
  return RunView.parse(JSON.parse(reply.body)).id;
}

const seen = (id: string) => seenRun(bench, id);

async function reconcile(changes: Partial<RunParts> = {}, body: object = {}) {
  const id = await request(body);
  await runOnce(runParts(bench, changes), never);
  return seen(id);
}

async function atStripe(path: string, form: Record<string, string> = {}): Promise<{ id: string }> {
  const reply = await fetch(`${bench.simulator.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form),
  });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()) as { id: string };
}

interface Made {
  invoice: string;
  customer: string;
  price: string;
  subscription: string;
  start: number;
  end: number;
}

/** A metered subscription whose first day is over, with the draft of its invoice. */
async function drafted(): Promise<Made> {
  const { id: customer } = await atStripe('customers');
  const { meters } = bench.simulator.world;
  const event_name = `calls_${meters.all().length}`;
  const { id: meter } = await atStripe('billing/meters', {
    display_name: event_name,
    event_name,
    'default_aggregation[formula]': 'sum',
  });
  const { id: price } = await atStripe('prices', {
    currency: 'usd',
    unit_amount: '10',
    'recurring[interval]': 'day',
    'recurring[usage_type]': 'metered',
    'recurring[meter]': meter,
    'product_data[name]': 'Calls',
  });
  const { id: subscription } = await atStripe('subscriptions', {
    customer,
    'items[0][price]': price,
    collection_method: 'send_invoice',
    days_until_due: '30',
    'metadata[tenant_id]': 'default',
  });
  const [item] = bench.simulator.world.subscriptions.get(subscription)!.items.data;
  const { current_period_start: start, current_period_end: end } = item!;
  await atStripe('billing/meter_events', { event_name, 'payload[stripe_customer_id]': customer, 'payload[value]': '7' });
  bench.advance(DAY + 1);
  const invoice = bench.simulator.world.invoices
    .all()
    .find((one) => one.lines.data[0]?.period.start === start && one.customer === customer)!;
  return { invoice: invoice.id, customer, price, subscription, start, end };
}

/** Nothing finalizes the draft but a person. */
function keptOpen({ invoice }: Made): void {
  const { invoices } = bench.simulator.world;
  invoices.replace({ ...invoices.get(invoice)!, auto_advance: false });
}

async function finalized(): Promise<Made & { finalized_at: number }> {
  const made = await drafted();
  await atStripe(`invoices/${made.invoice}/finalize`);
  await ended(made);
  return { ...made, finalized_at: bench.simulator.world.invoices.get(made.invoice)!.status_transitions.finalized_at! };
}

/** Nothing else of it becomes final, as what its next day bills would an hour later, which may be tomorrow. */
async function ended({ subscription }: Made): Promise<void> {
  await fetch(`${bench.simulator.url}/v1/subscriptions/${subscription}`, {
    method: 'DELETE',
    headers: { authorization: 'Bearer sk_test_simulator' },
  });
}

const asBilled = ({ invoice, customer, price, subscription, start, end, finalized_at }: Made & { finalized_at: number }): BilledUsage => ({
  invoice,
  customer,
  price,
  subscription,
  start,
  end,
  finalized_at,
  quantities: ['7'],
  settled: null,
});

/** Payments as the service that compares: says of these invoices what it is told to, and notes what it was asked. */
class BillingPayments {
  readonly asked: BilledUsage[][] = [];
  fails: (nth: number) => Error | null = () => null;

  constructor(private readonly says: (billed: BilledUsage) => Partial<BilledDifference> | 'not_compared' | null) {}

  readonly port: UsageComparer = {
    ...noUsage,
    billed: async (billed) => {
      this.asked.push([...billed]);
      const failure = this.fails(this.asked.length);
      if (failure) throw failure;
      const told = billed.map((one) => ({ one, said: this.says(one) }));
      return {
        kind: 'ok',
        requestId: null,
        value: {
          compared: billed.length,
          differences: told.flatMap(({ one: { quantities: _, settled, ...one }, said }) =>
            said === null || said === 'not_compared'
              ? []
              : [
                  {
                    ...one,
                    tenant: 'default',
                    meter: 'calls',
                    local: '12',
                    late: '5',
                    remote: '7',
                    settled: settled ?? '0',
                    reason: 'late' as const,
                    ...said,
                  },
                ],
          ),
          not_compared: told.flatMap(({ one: { invoice, price, start, end }, said }) =>
            said === 'not_compared' ? [{ invoice, price, start, end, reason: 'transforms' as const }] : [],
          ),
        },
      };
    },
  };
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

describe('What final invoices bill', () => {
  it('is named where payments says in a second look, too, that Stripe took something else', async () => {
    const [one, other] = [await finalized(), await finalized()];
    let looks = 0;
    const payments = new BillingPayments(({ invoice }) => (invoice === one.invoice || (looks += 1) === 1 ? {} : null));
    const days = { start_date: dayOf(one.finalized_at), end_date: dayOf(now()) };
    const { run, rows } = await reconcile({ usage: payments.port }, days);
    expect(run).toMatchObject({ status: 'succeeded', counts: { usage_mismatch: 1 } });
    expect(payments.asked).toEqual([[asBilled(other), asBilled(one)], [asBilled(other)], [asBilled(one)]]);
    expect(rows).toMatchObject([
      {
        class: 'usage_mismatch',
        object: 'invoice_usage',
        state: 'new',
        payment_id: null,
        local_id: `${one.customer}/calls`,
        stripe_id: `${one.invoice}/${one.price}/${iso(one.start)}/${iso(one.end)}`,
        local: `12 of ${one.customer}/calls, 5 of it taken after the invoice was final`,
        remote: '7',
        proposed_repair: 'add_invoice_item',
        applied: false,
      },
    ]);
    const repaired = await reconcile({ usage: payments.port }, { ...days, mode: 'repair' });
    expect(repaired.rows.map((row) => [row.state, row.applied, row.reason])).toEqual([
      ['persisting', false, 'only proposed: a person bills the difference with the next invoice, or gives it back'],
    ]);
  });

  it('is all of their lines, more than an invoice shows at first, by price and period', async () => {
    const made = await drafted();
    for (let n = 0; n < 12; n += 1)
      await atStripe('invoiceitems', { customer: made.customer, invoice: made.invoice, currency: 'usd', amount: '5' });
    const { invoices } = bench.simulator.world;
    const draft = invoices.get(made.invoice)!;
    const [line, ...items] = draft.lines.data;
    const tier = { ...line!, id: 'il_tier', quantity_decimal: '2.5' };
    const elsewhere = { ...line!, id: 'il_elsewhere', period: { start: made.start - 5, end: made.start } };
    await atStripe(`invoices/${made.invoice}/finalize`);
    const final = invoices.get(made.invoice)!;
    const counted = final.lines.data.find(({ id }) => id === line!.id)!;
    invoices.replace({ ...final, lines: { ...final.lines, data: [...items, counted, tier, elsewhere] } });
    const payments = new BillingPayments(() => null);
    const { run } = await reconcile({ usage: payments.port });
    expect(payments.asked[0]!.map(({ start, quantities }) => [start, quantities])).toEqual([
      [made.start, ['7', '2.5']],
      [made.start - 5, ['7']],
    ]);
    // Stripe's pages: intents, charges, refunds, disputes, sessions, subscriptions, invoices, movements; then invoices again, and the lines of this one.
    expect(run.progress).toMatchObject({ pages: 10 });
  });

  it('is not that of drafts and of those made void, nor of what was final on another day', async () => {
    const [early, voided, draft] = [await finalized(), await finalized(), await drafted()];
    keptOpen(draft);
    await ended(draft);
    bench.advance(2 * DAY);
    const late = await finalized();
    await atStripe(`invoices/${voided.invoice}/void`);
    const payments = new BillingPayments(() => null);
    const invoices = () => payments.asked.flat().map(({ invoice }) => invoice);
    await reconcile({ usage: payments.port }, { start_date: dayOf(late.finalized_at), end_date: dayOf(late.finalized_at) });
    expect(invoices()).toEqual([late.invoice]);
    payments.asked.length = 0;
    await reconcile({ usage: payments.port }, { start_date: dayOf(early.finalized_at), end_date: dayOf(late.finalized_at) });
    expect(invoices()).toContain(early.invoice);
    expect(invoices()).not.toContain(voided.invoice);
    expect(invoices().filter((id) => id === draft.invoice)).toEqual([]);
  });

  it('was made days before it was final, where a draft stays open', async () => {
    const made = await drafted();
    keptOpen(made);
    bench.advance(3 * DAY);
    await atStripe(`invoices/${made.invoice}/finalize`);
    const payments = new BillingPayments(() => null);
    await reconcile({ usage: payments.port });
    expect(payments.asked.flat().map(({ invoice }) => invoice)).toContain(made.invoice);
  });

  it('is looked at by the daily run for as long as usage may come too late for it', async () => {
    const one = await finalized();
    bench.advance(30 * DAY);
    const payments = new BillingPayments(() => ({}));
    const schedule = { ...runParts(bench), days: 1, rollingSeconds: 0, mode: 'report' as const, requested: () => undefined };
    await makeDueRuns({ ...schedule, cron: parseCron('* * * * *') });
    expect(await runOnce(runParts(bench, { usage: payments.port }), never)).toBe(1);
    expect(payments.asked.flat().map(({ invoice }) => invoice)).toContain(one.invoice);
    payments.asked.length = 0;
    expect((await reconcile({ usage: payments.port })).rows).toEqual([]);
    expect(payments.asked.flat()).toEqual([]);
    bench.advance(8 * DAY);
    await makeDueRuns({ ...schedule, cron: parseCron('* * * * *') });
    expect(await runOnce(runParts(bench, { usage: payments.port }), never)).toBe(1);
    expect(payments.asked.flat()).toEqual([]);
  });

  it('says what somebody has billed otherwise, which he wrote on the invoice', async () => {
    const one = await finalized();
    await atStripe(`invoices/${one.invoice}`, { [`metadata[usage_${one.price}]`]: '2' });
    const payments = new BillingPayments(() => ({}));
    const { rows } = await reconcile({ usage: payments.port }, { start_date: dayOf(now() - DAY) });
    expect(payments.asked[0]).toEqual([{ ...asBilled(one), settled: '2' }]);
    expect(rows).toMatchObject([{ remote: '7, 2 settled otherwise' }]);
  });

  it('is counted where it cannot be compared, and no discrepancy', async () => {
    await finalized();
    const payments = new BillingPayments(() => 'not_compared');
    const { run, rows } = await reconcile({ usage: payments.port }, { start_date: dayOf(now() - DAY) });
    expect([run.counts, rows]).toMatchObject([{ usage_mismatch: 0, usage_not_compared: 1 }, []]);
  });

  it('is asked for page by page, and after a kill from the page that was not recorded', async () => {
    const made = [await finalized(), await finalized(), await finalized()];
    const paged: CompareStripe = { ...bench.stripe, listInvoices: (query) => bench.stripe.listInvoices({ ...query, limit: 1 }) };
    const days = { start_date: dayOf(made[0]!.finalized_at), end_date: dayOf(now()) };
    const killed = new BillingPayments(() => ({}));
    const stop = new AbortController();
    const isTheirs = (billed: readonly BilledUsage[]) => billed[0]?.invoice === made[1]!.invoice;
    killed.fails = () => {
      if (!isTheirs(killed.asked.at(-1)!)) return null;
      stop.abort(new Error('killed'));
      return new Error('killed');
    };
    const id = await request(days);
    await runOnce(runParts(bench, { usage: killed.port, stripe: paged }), stop.signal);
    const next = new BillingPayments(() => ({}));
    await runOnce(runParts(bench, { usage: next.port, stripe: paged }), never);
    const { run, rows } = await seen(id);
    const firstLook = next.asked.slice(0, -3).flat();
    expect(firstLook.map(({ invoice }) => invoice)).toEqual([made[1]!.invoice, made[0]!.invoice]);
    expect([run.status, rows.map((row) => row.stripe_id?.split('/')[0])]).toEqual([
      'succeeded',
      made.toReversed().map(({ invoice }) => invoice),
    ]);
  });
});
