import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type BilledWorld, billedWorld, METERED } from './billed-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;

let world: BilledWorld;
beforeAll(async () => {
  world = await billedWorld();
});
afterAll(() => world?.close());

const AGREES = { compared: 1, agreeing: 1, pending: 0, differences: [], not_compared: [] };

describe('What an invoice bills', () => {
  it('agrees with what was reported to the second where its period begins and ends, and while it was a draft', async () => {
    const one = await world.subscribed();
    await world.use(one, 1, one.start);
    await world.use(one, 2, one.start + 1);
    world.advance(HOUR_MS);
    await world.use(one, '0.5', one.start + 1800);
    world.untilDraft(one);
    await world.use(one, 4, one.end - 1);
    world.advance(30_000);
    await world.use(one, 16, one.end - 2);
    await world.use(one, 8, one.end);
    world.untilFinal(one);
    expect(world.invoiceOf(one).lines.data[0]).toMatchObject({ quantity: 23, quantity_decimal: '23.5' });
    expect(await world.compared(world.billed(one))).toMatchObject({ ...AGREES, looked_at: 1 });
    // The second before and the second after are another period's.
    const border = { ...world.billed(one), start: one.start + 1 };
    world.untilShown();
    expect(await world.compared({ ...border, quantities: ['22.5'] })).toMatchObject(AGREES);
    expect(await world.compared({ ...border, end: one.end - 1, quantities: ['2.5'] })).toMatchObject(AGREES);
    expect((await world.compared({ ...border, quantities: ['23.5'] })).differences).toMatchObject([{ local: '22.5', remote: '23.5' }]);
  });

  it('lacks what was reported after it was final: lost money, with how much came too late', async () => {
    const one = await world.withTen();
    expect(await world.compared(world.billed(one))).toMatchObject(AGREES);
    await world.use(one, 5);
    expect(await world.compared(world.billed(one))).toMatchObject({ pending: 0, differences: [{ local: '15' }] });
    world.untilShown();
    const { differences } = await world.compared(world.billed(one));
    expect(differences).toEqual([
      {
        tenant: 'default',
        invoice: world.invoiceOf(one).id,
        customer: one.customer,
        subscription: one.subscription,
        price: one.price,
        start: one.start,
        end: one.end,
        finalized_at: world.billed(one).finalized_at,
        meter: one.meter,
        local: '15',
        late: '5',
        remote: '10',
        settled: '0',
        reason: 'late',
      },
    ]);
    // Somebody has put five on another invoice, and says so on this one.
    expect(await world.compared({ ...world.billed(one), settled: '5' })).toMatchObject(AGREES);
    expect((await world.compared({ ...world.billed(one), settled: '4' })).differences).toMatchObject([
      { local: '15', remote: '10', settled: '4' },
    ]);
  });

  it('is named where usage was taken back after it was final, and of a meter that counts', async () => {
    const [sums, counts] = [await world.withTen(), await world.withTen('count')];
    expect(await world.compared(world.billed(sums), world.billed(counts))).toMatchObject({ compared: 2, agreeing: 2 });
    await world.use(sums, -3);
    await world.use(counts, 1);
    world.untilShown();
    expect((await world.compared(world.billed(sums), world.billed(counts))).differences).toMatchObject([
      { local: '7', late: '-3', remote: '10', reason: 'late' },
      { local: '11', late: '1', remote: '10', reason: 'late' },
    ]);
  });

  it('is named where a line says less or more than what Stripe took, whatever came when', async () => {
    const one = await world.withTen();
    for (const quantity of ['12', '9']) {
      world.withLines(one, [quantity]);
      expect((await world.compared(world.billed(one))).differences).toMatchObject([
        { local: '10', late: '0', remote: quantity, reason: 'billed_differs' },
      ]);
    }
    await world.use(one, 5);
    world.untilShown();
    expect((await world.compared(world.billed(one))).differences).toMatchObject([
      { local: '15', late: '5', remote: '9', reason: 'billed_differs' },
    ]);
  });

  it('does not say that something came too late that was sent within a minute of the end', async () => {
    const one = await world.withTen();
    const { finalized_at } = world.billed(one);
    await world.use(one, 5);
    world.untilShown();
    const sentAt = Math.ceil(world.clock.now().getTime() / 1000) - 2 * 3600;
    expect(sentAt).toBeGreaterThan(finalized_at);
    // The same second by our clock: nobody can say which was first.
    expect((await world.compared({ ...world.billed(one), finalized_at: sentAt })).differences).toMatchObject([
      { late: '0', reason: 'billed_differs' },
    ]);
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
    const one = await world.withTen('sum', tiers);
    world.withLines(one, ['6', '4']);
    expect(await world.compared(world.billed(one))).toMatchObject(AGREES);
    world.withLines(one, ['6', '5']);
    expect((await world.compared(world.billed(one))).differences).toMatchObject([{ local: '10', remote: '11' }]);
  });

  it('may be rounded by less than a unit, where it shows no fraction of a sum that has one', async () => {
    const one = await world.withTen();
    await world.use(one, '0.4');
    world.untilShown();
    expect(await world.compared(world.billed(one))).toMatchObject(AGREES);
    await world.use(one, '0.7');
    world.untilShown();
    expect((await world.compared(world.billed(one))).differences).toMatchObject([{ local: '11.1', late: '1.1', remote: '10' }]);
  });
});

describe('Usage of others on an invoice', () => {
  it('makes no difference: what cannot be told apart is said to be so', async () => {
    const one = await world.subscribed();
    world.advance(10 * HOUR_MS);
    await world.use(one, 10);
    await world.others(one, '3');
    world.untilFinal(one);
    world.untilShown();
    expect(world.billed(one).quantities).toEqual(['13']);
    const { id: invoice } = world.invoiceOf(one);
    const { price, start, end } = one;
    expect(await world.compared(world.billed(one))).toMatchObject({
      compared: 1,
      agreeing: 0,
      differences: [],
      not_compared: [{ invoice, price, start, end, reason: 'hours_differ' }],
    });
    // What came too late is certain all the same.
    await world.use(one, 5);
    world.untilShown();
    expect((await world.compared(world.billed(one))).differences).toMatchObject([
      { local: '15', late: '5', remote: '13', reason: 'late_beside_others' },
    ]);
  });

  it('is none of ours where we have counted nothing of the customer', async () => {
    const one = await world.subscribed();
    world.advance(10 * HOUR_MS);
    await world.others(one, '3');
    world.untilFinal(one);
    expect((await world.compared(world.billed(one))).not_compared).toMatchObject([{ reason: 'meter_unknown' }]);
    await world.record([{ customer: await world.customer(), meter: one.meter }]);
    await world.reported();
    expect((await world.compared(world.billed(one))).not_compared).toMatchObject([{ reason: 'not_ours' }]);
  });
});

describe('An invoice is not judged yet', () => {
  it('while a report of its period has no answer, and while usage of it waits', async () => {
    const one = await world.withTen();
    const { simulator } = world;
    simulator.addFault({ fault: 'reset_after', route: 'POST /v1/billing/meter_events', times: 1 });
    await world.record([{ customer: one.customer, meter: one.meter, value: 5, at: world.timeOf(one.start + 60) }]);
    world.advance(11_000);
    expect(await world.compared(world.billed(one))).toMatchObject(AGREES);
    world.withLines(one, ['9']);
    expect(await world.compared(world.billed(one))).toMatchObject({ compared: 1, pending: 1, differences: [] });
    await world.reportDue();
    expect(await world.compared(world.billed(one))).toMatchObject({ compared: 1, pending: 1, differences: [] });
    await world.reported();
    world.untilShown();
    expect((await world.compared(world.billed(one))).differences).toMatchObject([{ local: '15', remote: '9' }]);
  });

  it('while Stripe’s summaries need not show the last report', async () => {
    const one = await world.withTen();
    await world.use(one, 5);
    world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/billing/meters/*', ms: 600_000 });
    expect(await world.compared(world.billed(one))).toMatchObject({ pending: 1, differences: [], not_compared: [] });
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
    const one = await world.withTen(formula, form);
    world.withLines(one, ['99']);
    expect(await world.compared(world.billed(one))).toMatchObject({ compared: 1, differences: [], not_compared: [{ reason }] });
  });

  it('is a period that a trial began, and an invoice that came before the period was over', async () => {
    const one = await world.withTen();
    world.withLines(one, ['9']);
    const early = { ...world.billed(one), finalized_at: one.end - 1 };
    expect((await world.compared(early)).not_compared).toMatchObject([{ reason: 'period_open' }]);
    expect(await world.compared({ ...early, quantities: ['0'] })).toMatchObject({ compared: 0, not_compared: [] });
    const { subscriptions } = world.simulator.world;
    subscriptions.replace({ ...subscriptions.get(one.subscription)!, trial_end: one.start + 1 });
    expect((await world.compared(world.billed(one))).not_compared).toMatchObject([{ reason: 'trial' }]);
  });

  it('is usage that the invoice bills by two prices', async () => {
    const [one, other] = [await world.withTen(), await world.withTen()];
    world.withLines(one, ['4']);
    const meter = world.simulator.world.prices.get(one.price)?.recurring?.meter ?? '';
    const { id: price } = await world.stripe('prices', { ...METERED, unit_amount: '20', 'recurring[meter]': meter });
    const second = { ...world.billed(one), price: price as string, quantities: ['6'] };
    expect((await world.compared(world.billed(one), second)).not_compared).toMatchObject([{ reason: 'overlaps' }, { reason: 'overlaps' }]);
    // What is of another meter, or of a time before, is no reason.
    const apart = [
      { ...second, price: other.price },
      { ...second, quantities: ['0'], start: one.start - 60, end: one.start },
    ];
    expect((await world.compared(world.billed(one), ...apart)).differences).toMatchObject([{ price: one.price }]);
  });

  it('is what is paid for ahead, which is no usage', async () => {
    const one = await world.withTen();
    const { id } = await world.stripe('prices', {
      currency: 'usd',
      unit_amount: '10',
      'recurring[interval]': 'day',
      'product_data[name]': 'Seat',
    });
    expect(await world.compared({ ...world.billed(one), price: id as string })).toMatchObject({ looked_at: 1, compared: 0 });
  });
});

describe('Stripe', () => {
  it('is asked for a price once, and for nothing else where both agree', async () => {
    const one = await world.withTen();
    const calls = async () => await world.series('stripe_requests_total');
    const before = await calls();
    for (let n = 0; n < 3; n += 1) await world.compared(world.billed(one), world.billed(one));
    const made = Object.entries(await calls()).filter(([labels, count]) => count !== (before[labels] ?? 0));
    expect(made.map(([labels, count]) => [/operation="(\w+)"/.exec(labels)?.[1], count - (before[made[0]![0]] ?? 0)])).toEqual([
      ['retrieve_price', 1],
    ]);
  });

  it('that does not answer is no difference: the same is asked again', async () => {
    const one = await world.withTen();
    world.withLines(one, ['9']);
    for (const route of ['GET /v1/prices/:id', 'GET /v1/subscriptions/:id', 'GET /v1/billing/meters/:id/event_summaries']) {
      world.simulator.addFault({ fault: 'error_503', route, times: 1 });
      const reply = await world.send(RPC.usageCompareInvoices, { body: { billed: [world.billed(one)] } });
      expect([reply.status, world.json<{ code: string }>(reply).code]).toEqual([503, 'payments.stripe_unavailable']);
    }
    expect((await world.compared(world.billed(one))).differences).toHaveLength(1);
  });
});
