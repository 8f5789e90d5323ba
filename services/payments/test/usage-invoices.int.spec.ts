import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type BilledComparison, type BilledUsage } from '@tidegate/contracts/rpc/billed-usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;

let world: UsageWorld;
beforeAll(async () => {
  world = await usageWorld({ deadlineMs: 3000 });
});
afterAll(() => world?.close());

interface Subscribed {
  customer: string;
  meter: string;
  price: string;
  subscription: string;
  /** Of the first period, epoch seconds. */
  start: number;
  end: number;
}

const METERED = {
  currency: 'usd',
  'recurring[interval]': 'day',
  'recurring[usage_type]': 'metered',
  'product_data[name]': 'Calls',
};

/** Somebody pays for what he uses each day, from now on. */
async function subscribed(
  formula: 'sum' | 'count' | 'last' = 'sum',
  form: Record<string, string> = { unit_amount: '10' },
): Promise<Subscribed> {
  const [customer, meter] = [await world.customer(), await world.meter(formula)];
  const [{ id: stripeMeter } = { id: '' }] = world.simulator.world.meters.by('event_name', meter);
  const { id: price } = await world.stripe('prices', {
    ...METERED,
    'recurring[meter]': stripeMeter,
    ...form,
  });
  const made = await world.stripe('subscriptions', {
    customer,
    'items[0][price]': price as string,
    collection_method: 'send_invoice',
    days_until_due: '3',
  });
  const subscription = made['id'] as string;
  const [item] = world.simulator.world.subscriptions.get(subscription)!.items.data;
  return { customer, meter, price: price as string, subscription, start: item!.current_period_start, end: item!.current_period_end };
}

const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Until the first period is over, and its invoice a draft. */
function untilDraft({ end }: Subscribed): void {
  world.advance(end * 1000 - world.clock.now().getTime() + 1000);
}

const invoiceOf = ({ subscription, start }: Subscribed) =>
  world.simulator.world.invoices
    .all()
    .find((one) => one.parent?.subscription_details.subscription === subscription && one.lines.data[0]?.period.start === start)!;

function untilFinal(one: Subscribed): void {
  if (world.clock.now().getTime() < one.end * 1000) untilDraft(one);
  world.advance(HOUR_MS);
  expect(invoiceOf(one).status_transitions.finalized_at).not.toBeNull();
}

/** What the invoice of the first period bills, as a run reads it. */
function billed(one: Subscribed): BilledUsage {
  const { id: invoice, lines, status_transitions } = invoiceOf(one);
  return {
    invoice,
    customer: one.customer,
    subscription: one.subscription,
    price: one.price,
    start: one.start,
    end: one.end,
    finalized_at: status_transitions.finalized_at!,
    quantities: lines.data.map(({ quantity_decimal }) => quantity_decimal),
    settled: null,
  };
}

async function compared(...billedBy: BilledUsage[]): Promise<BilledComparison> {
  const reply = await world.send(RPC.usageCompareInvoices, { tenant: '*', body: { billed: billedBy } });
  if (reply.status !== 200) throw new Error(`The comparison was answered ${reply.status}: ${reply.body}`);
  return world.json<BilledComparison>(reply);
}

const AGREES = { compared: 1, agreeing: 1, pending: 0, differences: [], not_compared: [] };

/** As if lines had been changed at Stripe without a word. */
function withLines(one: Subscribed, quantities: readonly string[]): void {
  const invoice = invoiceOf(one);
  const [line] = invoice.lines.data;
  const data = quantities.map((quantity_decimal, n) => ({
    ...line!,
    id: `${line!.id}${n}`,
    quantity: Math.trunc(Number(quantity_decimal)),
    quantity_decimal,
  }));
  world.simulator.world.invoices.replace({ ...invoice, lines: { ...invoice.lines, data } });
}

/** Usage that is reported, in the middle of the first period unless it says when. */
async function use(one: Subscribed, value: string | number, at = one.start + 3 * 3600): Promise<void> {
  await world.record([{ customer: one.customer, meter: one.meter, value, at: timeOf(at) }]);
  await world.reported();
}

/** Until Stripe's summaries are believed. */
const untilShown = () => world.advance(2 * HOUR_MS);

/** Another program reports for the same customer. */
const others = (one: Subscribed, value: string, at = one.start + 9 * 3600) =>
  world.stripe('billing/meter_events', {
    event_name: one.meter,
    'payload[stripe_customer_id]': one.customer,
    'payload[value]': value,
    timestamp: String(at),
  });

/** A subscription with ten units on its final invoice. */
async function withTen(formula?: 'sum' | 'count' | 'last', form?: Record<string, string>): Promise<Subscribed> {
  const one = await subscribed(formula, form);
  world.advance(4 * HOUR_MS);
  if (formula === 'count')
    await Promise.all(Array.from({ length: 10 }, () => world.record([{ customer: one.customer, meter: one.meter }])));
  await (formula === 'count' ? world.reported() : use(one, 10));
  untilFinal(one);
  untilShown();
  return one;
}

describe('What an invoice bills', () => {
  it('agrees with what was reported to the second where its period begins and ends, and while it was a draft', async () => {
    const one = await subscribed();
    await use(one, 1, one.start);
    await use(one, 2, one.start + 1);
    world.advance(HOUR_MS);
    await use(one, '0.5', one.start + 1800);
    untilDraft(one);
    await use(one, 4, one.end - 1);
    world.advance(30_000);
    await use(one, 16, one.end - 2);
    await use(one, 8, one.end);
    untilFinal(one);
    expect(invoiceOf(one).lines.data[0]).toMatchObject({ quantity: 23, quantity_decimal: '23.5' });
    expect(await compared(billed(one))).toMatchObject({ ...AGREES, looked_at: 1 });
    // The second before and the second after are another period's.
    const border = { ...billed(one), start: one.start + 1 };
    untilShown();
    expect(await compared({ ...border, quantities: ['22.5'] })).toMatchObject(AGREES);
    expect(await compared({ ...border, end: one.end - 1, quantities: ['2.5'] })).toMatchObject(AGREES);
    expect((await compared({ ...border, quantities: ['23.5'] })).differences).toMatchObject([{ local: '22.5', remote: '23.5' }]);
  });

  it('lacks what was reported after it was final: lost money, with how much came too late', async () => {
    const one = await withTen();
    expect(await compared(billed(one))).toMatchObject(AGREES);
    await use(one, 5);
    expect(await compared(billed(one))).toMatchObject({ pending: 0, differences: [{ local: '15' }] });
    untilShown();
    const { differences } = await compared(billed(one));
    expect(differences).toEqual([
      {
        tenant: 'default',
        invoice: invoiceOf(one).id,
        customer: one.customer,
        subscription: one.subscription,
        price: one.price,
        start: one.start,
        end: one.end,
        finalized_at: billed(one).finalized_at,
        meter: one.meter,
        local: '15',
        late: '5',
        remote: '10',
        settled: '0',
        reason: 'late',
      },
    ]);
    // Somebody has put five on another invoice, and says so on this one.
    expect(await compared({ ...billed(one), settled: '5' })).toMatchObject(AGREES);
    expect((await compared({ ...billed(one), settled: '4' })).differences).toMatchObject([{ local: '15', remote: '10', settled: '4' }]);
  });

  it('is named where usage was taken back after it was final, and of a meter that counts', async () => {
    const [sums, counts] = [await withTen(), await withTen('count')];
    expect(await compared(billed(sums), billed(counts))).toMatchObject({ compared: 2, agreeing: 2 });
    await use(sums, -3);
    await use(counts, 1);
    untilShown();
    expect((await compared(billed(sums), billed(counts))).differences).toMatchObject([
      { local: '7', late: '-3', remote: '10', reason: 'late' },
      { local: '11', late: '1', remote: '10', reason: 'late' },
    ]);
  });

  it('is named where a line says less or more than what Stripe took, whatever came when', async () => {
    const one = await withTen();
    for (const quantity of ['12', '9']) {
      withLines(one, [quantity]);
      expect((await compared(billed(one))).differences).toMatchObject([
        { local: '10', late: '0', remote: quantity, reason: 'billed_differs' },
      ]);
    }
    await use(one, 5);
    untilShown();
    expect((await compared(billed(one))).differences).toMatchObject([{ local: '15', late: '5', remote: '9', reason: 'billed_differs' }]);
  });

  it('does not say that something came too late that was sent within a minute of the end', async () => {
    const one = await withTen();
    const { finalized_at } = billed(one);
    await use(one, 5);
    untilShown();
    const sentAt = Math.ceil(world.clock.now().getTime() / 1000) - 2 * 3600;
    expect(sentAt).toBeGreaterThan(finalized_at);
    // The same second by our clock: nobody can say which was first.
    expect((await compared({ ...billed(one), finalized_at: sentAt })).differences).toMatchObject([{ late: '0', reason: 'billed_differs' }]);
  });

  it('is the sum of its lines, where a price has tiers', async () => {
    const tiers = {
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      'tiers[0][up_to]': '6',
      'tiers[0][unit_amount]': '10',
      'tiers[1][up_to]': 'inf',
      'tiers[1][unit_amount]': '5',
    };
    const one = await withTen('sum', tiers);
    withLines(one, ['6', '4']);
    expect(await compared(billed(one))).toMatchObject(AGREES);
    withLines(one, ['6', '5']);
    expect((await compared(billed(one))).differences).toMatchObject([{ local: '10', remote: '11' }]);
  });

  it('may be rounded by less than a unit, where it shows no fraction of a sum that has one', async () => {
    const one = await withTen();
    await use(one, '0.4');
    untilShown();
    expect(await compared(billed(one))).toMatchObject(AGREES);
    await use(one, '0.7');
    untilShown();
    expect((await compared(billed(one))).differences).toMatchObject([{ local: '11.1', late: '1.1', remote: '10' }]);
  });
});

describe('Usage of others on an invoice', () => {
  it('makes no difference: what cannot be told apart is said to be so', async () => {
    const one = await subscribed();
    world.advance(10 * HOUR_MS);
    await use(one, 10);
    await others(one, '3');
    untilFinal(one);
    untilShown();
    expect(billed(one).quantities).toEqual(['13']);
    const { id: invoice } = invoiceOf(one);
    const { price, start, end } = one;
    expect(await compared(billed(one))).toMatchObject({
      compared: 1,
      agreeing: 0,
      differences: [],
      not_compared: [{ invoice, price, start, end, reason: 'hours_differ' }],
    });
    // What came too late is certain all the same.
    await use(one, 5);
    untilShown();
    expect((await compared(billed(one))).differences).toMatchObject([
      { local: '15', late: '5', remote: '13', reason: 'late_beside_others' },
    ]);
  });

  it('is none of ours where we have counted nothing of the customer', async () => {
    const one = await subscribed();
    world.advance(10 * HOUR_MS);
    await others(one, '3');
    untilFinal(one);
    expect((await compared(billed(one))).not_compared).toMatchObject([{ reason: 'meter_unknown' }]);
    await world.record([{ customer: await world.customer(), meter: one.meter }]);
    await world.reported();
    expect((await compared(billed(one))).not_compared).toMatchObject([{ reason: 'not_ours' }]);
  });
});

describe('An invoice is not judged yet', () => {
  it('while a report of its period has no answer, and while usage of it waits', async () => {
    const one = await withTen();
    const { simulator } = world;
    simulator.addFault({ fault: 'reset_after', route: 'POST /v1/billing/meter_events', times: 1 });
    await world.record([{ customer: one.customer, meter: one.meter, value: 5, at: timeOf(one.start + 60) }]);
    world.advance(11_000);
    expect(await compared(billed(one))).toMatchObject(AGREES);
    withLines(one, ['9']);
    expect(await compared(billed(one))).toMatchObject({ compared: 1, pending: 1, differences: [] });
    await world.reportDue();
    expect(await compared(billed(one))).toMatchObject({ compared: 1, pending: 1, differences: [] });
    await world.reported();
    untilShown();
    expect((await compared(billed(one))).differences).toMatchObject([{ local: '15', remote: '9' }]);
  });

  it('while Stripe’s summaries need not show the last report', async () => {
    const one = await withTen();
    await use(one, 5);
    world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/billing/meters/*', ms: 600_000 });
    expect(await compared(billed(one))).toMatchObject({ pending: 1, differences: [], not_compared: [] });
    world.simulator.clearFaults();
  });
});

describe('What cannot be compared without guessing', () => {
  it.each([
    ['transforms', 'sum', { unit_amount: '10', 'transform_quantity[divide_by]': '3', 'transform_quantity[round]': 'up' }],
    [
      'flat_tiers',
      'sum',
      {
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        'tiers[0][up_to]': 'inf',
        'tiers[0][unit_amount]': '1',
        'tiers[0][flat_amount]': '5',
      },
    ],
    ['formula', 'last', { unit_amount: '10' }],
  ] as const)('is counted and said: %s', async (reason, formula, form) => {
    const one = await withTen(formula, form);
    withLines(one, ['99']);
    expect(await compared(billed(one))).toMatchObject({ compared: 1, differences: [], not_compared: [{ reason }] });
  });

  it('is a period that a trial began, and an invoice that came before the period was over', async () => {
    const one = await withTen();
    withLines(one, ['9']);
    const early = { ...billed(one), finalized_at: one.end - 1 };
    expect((await compared(early)).not_compared).toMatchObject([{ reason: 'period_open' }]);
    expect(await compared({ ...early, quantities: ['0'] })).toMatchObject({ compared: 0, not_compared: [] });
    const { subscriptions } = world.simulator.world;
    subscriptions.replace({ ...subscriptions.get(one.subscription)!, trial_end: one.start + 1 });
    expect((await compared(billed(one))).not_compared).toMatchObject([{ reason: 'trial' }]);
  });

  it('is usage that the invoice bills by two prices', async () => {
    const [one, other] = [await withTen(), await withTen()];
    withLines(one, ['4']);
    const meter = world.simulator.world.prices.get(one.price)?.recurring?.meter ?? '';
    const { id: price } = await world.stripe('prices', { ...METERED, unit_amount: '20', 'recurring[meter]': meter });
    const second = { ...billed(one), price: price as string, quantities: ['6'] };
    expect((await compared(billed(one), second)).not_compared).toMatchObject([{ reason: 'overlaps' }, { reason: 'overlaps' }]);
    // What is of another meter, or of a time before, is no reason.
    const apart = [
      { ...second, price: other.price },
      { ...second, quantities: ['0'], start: one.start - 60, end: one.start },
    ];
    expect((await compared(billed(one), ...apart)).differences).toMatchObject([{ price: one.price }]);
  });

  it('is what is paid for ahead, which is no usage', async () => {
    const one = await withTen();
    const { id } = await world.stripe('prices', {
      currency: 'usd',
      unit_amount: '10',
      'recurring[interval]': 'day',
      'product_data[name]': 'Seat',
    });
    expect(await compared({ ...billed(one), price: id as string })).toMatchObject({ looked_at: 1, compared: 0 });
  });
});

describe('Stripe', () => {
  it('is asked for a price once, and for nothing else where both agree', async () => {
    const one = await withTen();
    const calls = async () => await world.series('stripe_requests_total');
    const before = await calls();
    for (let n = 0; n < 3; n += 1) await compared(billed(one), billed(one));
    const made = Object.entries(await calls()).filter(([labels, count]) => count !== (before[labels] ?? 0));
    expect(made.map(([labels, count]) => [/operation="(\w+)"/.exec(labels)?.[1], count - (before[made[0]![0]] ?? 0)])).toEqual([
      ['retrieve_price', 1],
    ]);
  });

  it('that does not answer is no difference: the same is asked again', async () => {
    const one = await withTen();
    withLines(one, ['9']);
    for (const route of ['GET /v1/prices/:id', 'GET /v1/subscriptions/:id', 'GET /v1/billing/meters/:id/event_summaries']) {
      world.simulator.addFault({ fault: 'error_503', route, times: 1 });
      const reply = await world.send(RPC.usageCompareInvoices, { body: { billed: [billed(one)] } });
      expect([reply.status, world.json<{ code: string }>(reply).code]).toEqual([503, 'payments.stripe_unavailable']);
    }
    expect((await compared(billed(one))).differences).toHaveLength(1);
  });
});
