import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { ALLOWED_FROM, EVENTS, type MeterOperation } from '../src/meters/transitions.js';
import { type Given, errorOf, givenSimulator } from './given.js';

const DAY = 86_400;
const HOUR = 3_600;

let given: Given;
let stripe: Stripe;
let customer: string;
let meter: Stripe.Billing.Meter;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
beforeEach(async () => {
  given.simulator.reset();
  customer = (await stripe.customers.create()).id;
  meter = await newMeter();
});
afterAll(() => given.end());

const newMeter = (formula: 'sum' | 'count' | 'last' = 'sum', event_name = 'api_calls'): Promise<Stripe.Billing.Meter> =>
  stripe.billing.meters.create({ display_name: 'API calls', event_name, default_aggregation: { formula } });
const record = (value: string, more: object = {}): Promise<Stripe.Billing.MeterEvent> =>
  stripe.billing.meterEvents.create({ event_name: meter.event_name, payload: { stripe_customer_id: customer, value }, ...more });
const now = (): number => given.simulator.world.clock.nowSeconds();
const today = (): number => Math.floor(now() / DAY) * DAY;
const summaries = async (more: object = {}): Promise<[number, number][]> => {
  const range = { customer, start_time: today() - DAY, end_time: today() + DAY };
  const { data } = await stripe.billing.meters.listEventSummaries(meter.id, { ...range, ...more });
  return data.map(({ start_time, aggregated_value }) => [start_time, aggregated_value]);
};
const eventTypes = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);

describe('A meter', () => {
  it('is made with the usual keys, changed and listed', async () => {
    expect(meter).toMatchObject({
      status: 'active',
      customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
      value_settings: { event_payload_key: 'value' },
    });
    expect((await stripe.billing.meters.update(meter.id, { display_name: 'Calls' })).display_name).toBe('Calls');
    expect((await stripe.billing.meters.list({ status: 'inactive' })).data).toEqual([]);
    expect((await stripe.billing.meters.retrieve(meter.id)).display_name).toBe('Calls');
    expect(await errorOf(newMeter())).toMatchObject({ statusCode: 400, param: 'event_name' });
    expect(await errorOf(stripe.billing.meters.retrieve('mtr_x'))).toMatchObject({ statusCode: 404 });
  });

  const DO: Readonly<Record<MeterOperation, () => Promise<unknown>>> = {
    update: () => stripe.billing.meters.update(meter.id, { display_name: 'Other' }),
    deactivate: () => stripe.billing.meters.deactivate(meter.id),
    reactivate: () => stripe.billing.meters.reactivate(meter.id),
    record: () => record('1'),
  };
  const cells = (Object.keys(DO) as MeterOperation[]).flatMap((operation) =>
    (['active', 'inactive'] as const).map((status) => [operation, status] as const),
  );

  it.each(cells)('decides about %s in %s', async (operation, status) => {
    if (status === 'inactive') await stripe.billing.meters.deactivate(meter.id);
    const before = eventTypes().length;
    if (!ALLOWED_FROM[operation].includes(status)) return expect(await errorOf(DO[operation]())).toMatchObject({ statusCode: 400 });
    await DO[operation]();
    expect(eventTypes().slice(before)).toEqual(EVENTS[operation]);
  });
});

describe('Usage', () => {
  it('is summed up by hour, by day and over all, start inclusive and end exclusive', async () => {
    const start = today();
    for (const [value, at] of [
      ['2', start - 1],
      ['3', start],
      ['4', start + 10],
      ['5.5', start - DAY],
    ] as const)
      await record(value, { timestamp: at });
    expect(await summaries()).toEqual([[start - DAY, 14.5]]);
    expect(await summaries({ value_grouping_window: 'day' })).toEqual([
      [start, 7],
      [start - DAY, 7.5],
    ]);
    const hours = await summaries({ value_grouping_window: 'hour', limit: 100 });
    expect(hours).toHaveLength(48);
    expect(hours.filter(([, value]) => value > 0)).toEqual([
      [start, 7],
      [start - HOUR, 2],
      [start - DAY, 5.5],
    ]);
    expect(await summaries({ end_time: start })).toEqual([[start - DAY, 7.5]]);
  });

  it.each([
    ['count', 3],
    ['last', 1],
    ['sum', 12],
  ] as const)('is aggregated by %s', async (formula, expected) => {
    meter = await newMeter(formula, `by_${formula}`);
    for (const [value, ago] of [
      ['5', 20],
      ['6', 30],
      ['1', 10],
    ] as const)
      await record(value, { timestamp: now() - ago });
    expect((await summaries())[0]![1]).toBe(expected);
  });

  it('is taken once per identifier and day', async () => {
    await record('1', { identifier: 'use_1' });
    const again = await errorOf(record('1', { identifier: 'use_1' }));
    expect(again).toMatchObject({
      statusCode: 400,
      type: 'StripeInvalidRequestError',
      message: 'An event already exists with identifier use_1.',
    });
    given.simulator.advanceClock(DAY + 60);
    await record('1', { identifier: 'use_1' });
    expect(given.simulator.truth(['meter_events']).meter_events).toHaveLength(2);
  });

  it('is taken back by its identifier, once and only within a day', async () => {
    await record('7', { identifier: 'wrong' });
    await record('1');
    const cancel = (identifier: string) =>
      stripe.billing.meterEventAdjustments.create({ event_name: meter.event_name, type: 'cancel', cancel: { identifier } });
    expect(await cancel('wrong')).toMatchObject({ status: 'complete', cancel: { identifier: 'wrong' } });
    expect((await summaries())[0]![1]).toBe(1);
    expect(given.simulator.truth().meter_events).toMatchObject([{ payload: { value: '1' } }]);
    expect(await errorOf(cancel('wrong'))).toMatchObject({ statusCode: 400 });
    await record('1', { identifier: 'late' });
    given.simulator.advanceClock(DAY + 60);
    expect(await errorOf(cancel('late'))).toMatchObject({ statusCode: 400, code: 'resource_missing' });
  });

  it.each([
    ['for no meter', { event_name: 'nothing' }, 'no_meter', 'event_name'],
    ['older than 35 days', { timestamp: () => now() - 35 * DAY - 60 }, 'timestamp_too_far_in_past', 'timestamp'],
    ['more than five minutes ahead', { timestamp: () => now() + 360 }, 'timestamp_in_future', 'timestamp'],
    ['of nobody', { payload: { value: '1' } }, 'meter_event_no_customer_defined', 'payload'],
    ['of nothing', { payload: { stripe_customer_id: 'cus_x' } }, 'meter_event_value_not_found', 'payload'],
    ['that is no number', { payload: { stripe_customer_id: 'cus_x', value: 'many' } }, 'meter_event_invalid_value', 'payload[value]'],
  ])('is refused %s', async (_, more, code, param) => {
    const made = Object.fromEntries(Object.entries(more).map(([name, value]) => [name, typeof value === 'function' ? value() : value]));
    expect(await errorOf(record('1', made))).toMatchObject({ statusCode: 400, code, param });
  });

  it('within the limits of time is taken', async () => {
    await record('1', { timestamp: now() - 35 * DAY + 60 });
    expect((await record('1', { timestamp: now() + 240 })).identifier).toMatch(/^mtrevt_/);
  });

  it.each([
    ['that does not begin at a minute', { start_time: 61 }, 'start_time'],
    ['that does not begin at an hour', { start_time: 60, value_grouping_window: 'hour' }, 'start_time'],
    ['that ends before it begins', { end_time: 60 }, 'end_time'],
    ['of a missing customer', { customer: 'cus_x' }, 'customer'],
  ])('is not summed up for a range %s', async (_, more, param) => {
    expect(await errorOf(summaries(more))).toMatchObject({ statusCode: 400, param });
  });

  it('is not known to a lagging list yet', async () => {
    await record('1');
    given.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/billing/meters/*', ms: 60_000 });
    expect((await summaries())[0]![1]).toBe(0);
    expect((await summaries())[0]![1]).toBe(1);
  });

  it('is billed after its period, what came while the invoice was a draft included', async () => {
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 10,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      product_data: { name: 'Calls' },
    });
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
    expect(subscription.items.data[0]!.quantity).toBeUndefined();
    await record('100');
    const { current_period_end: end } = subscription.items.data[0]!;
    given.simulator.advanceClock(end - now() + 1);
    const [draft] = (await stripe.invoices.list({ subscription: subscription.id })).data;
    expect(draft).toMatchObject({ status: 'draft', total: 1_000, lines: { data: [{ quantity: 100, period: { end } }] } });
    await record('50', { timestamp: end - 5 });
    await record('9', { timestamp: end });
    given.simulator.advanceClock(HOUR + 1);
    expect(await stripe.invoices.retrieve(draft!.id)).toMatchObject({ status: 'paid', total: 1_500, lines: { data: [{ quantity: 150 }] } });
  });

  async function metered(): Promise<{ draft: Stripe.Invoice; end: number }> {
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 10,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      product_data: { name: 'Calls' },
    });
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      collection_method: 'send_invoice',
      days_until_due: 3,
    });
    const { current_period_end: end } = subscription.items.data[0]!;
    given.simulator.advanceClock(end - now() + 1);
    const [draft] = (await stripe.invoices.list({ subscription: subscription.id })).data;
    return { draft: draft!, end };
  }

  it('counts until the invoice is final, whoever finalizes it', async () => {
    const { draft, end } = await metered();
    await record('50', { timestamp: end - 5 });
    const final = await stripe.invoices.finalizeInvoice(draft.id);
    expect(final).toMatchObject({ status: 'open', total: 500, lines: { data: [{ quantity: 50 }] } });
    await record('7', { timestamp: end - 4 });
    expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ total: 500, lines: { data: [{ quantity: 50 }] } });
  });

  it('is a whole quantity on a line, with the fraction beside it', async () => {
    const { draft, end } = await metered();
    for (const value of ['0.1', '0.2', '2']) await record(value, { timestamp: end - 5 });
    const { lines } = await stripe.invoices.finalizeInvoice(draft.id);
    expect([lines.data[0]!.quantity, String(lines.data[0]!.quantity_decimal)]).toEqual([2, '2.3']);
  });

  it('may stand behind ten other lines of the invoice, which shows no more', async () => {
    const { draft, end } = await metered();
    await record('3', { timestamp: end - 5 });
    const items = Array.from({ length: 12 }, (_, n) => ({ customer, currency: 'usd', amount: 100 + n, invoice: draft.id }));
    for (const item of items) await stripe.invoiceItems.create(item);
    const final = await stripe.invoices.finalizeInvoice(draft.id);
    expect([final.lines.data.length, final.lines.has_more]).toEqual([10, true]);
    const [listed] = (await stripe.invoices.list({ customer, limit: 1 })).data;
    expect([listed!.lines.data.length, listed!.lines.has_more]).toEqual([10, true]);
    const told = given.simulator.world.events.records.all().findLast(({ event }) => event.type === 'invoice.finalized');
    expect((told!.event.data.object as Stripe.Invoice).lines.data).toHaveLength(10);
    const all = await stripe.invoices.listLineItems(draft.id, { limit: 100 });
    expect([all.data.length, all.has_more, final.total]).toEqual([13, false, 30 + items.reduce((sum, { amount }) => sum + amount, 0)]);
  });
});
