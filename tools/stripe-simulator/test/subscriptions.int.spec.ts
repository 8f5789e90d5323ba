import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, errorOf, eventually, givenSimulator } from './given.js';

const DAY = 86_400;
const HOUR = 3_600;

let given: Given;
let stripe: Stripe;
let customer: string;
let card: string;
let price: string;
beforeEach(() => begin());
afterEach(() => given.end());

async function begin(options: Parameters<typeof givenSimulator>[0] = {}): Promise<void> {
  given = await givenSimulator(options);
  ({ stripe } = given);
  customer = (await stripe.customers.create({ email: 'a@example.com' })).id;
  card = await attach('pm_card_visa');
  price = await newPrice({ unit_amount: 3_000 });
}

async function attach(id: string): Promise<string> {
  const method = await stripe.paymentMethods.attach(id, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
  return method.id;
}

async function newPrice(more: object): Promise<string> {
  return (await stripe.prices.create({ currency: 'usd', recurring: { interval: 'month' }, product_data: { name: 'Plan' }, ...more })).id;
}

/** Seconds of the same moment: clocks go on between two readings. */
const near = (seconds: number): number => ({ asymmetricMatch: (value: number) => Math.abs(value - seconds) <= 5 }) as unknown as number;
const create = (more: object = {}): Promise<Stripe.Subscription> => stripe.subscriptions.create({ customer, items: [{ price }], ...more });
const events = (type: string): { data: { object: Record<string, unknown>; previous_attributes?: object }; request: object }[] =>
  given.simulator.world.events.records
    .all()
    .map(({ event }) => event)
    .filter((event) => event.type === type) as never;
const now = (): number => given.simulator.world.clock.nowSeconds();
/** Just after a whole period has gone by. */
const untilEnd = ({ items }: Stripe.Subscription): number => items.data[0]!.current_period_end - now() + 1;
const invoices = async (subscription: string): Promise<Stripe.Invoice[]> => (await stripe.invoices.list({ subscription })).data;

describe('A subscription that is made', () => {
  it('lets the payer give a payment method while a trial has none', async () => {
    customer = (await stripe.customers.create()).id;
    const { id, pending_setup_intent, ...trial } = await create({ trial_period_days: 7, expand: ['pending_setup_intent'] });
    const setup = pending_setup_intent as Stripe.SetupIntent;
    expect([trial.status, setup.status, setup.client_secret]).toEqual([
      'trialing',
      'requires_payment_method',
      expect.stringMatching(/^seti_.*_secret_/),
    ]);
    const { payment_method } = await stripe.setupIntents.confirm(setup.id, {
      payment_method: 'pm_card_visa',
      return_url: 'https://shop.example/back',
    });
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ pending_setup_intent: null, default_payment_method: payment_method });
    expect(events('customer.subscription.updated')).toHaveLength(1);
  });

  it('is active once its first invoice is paid, and says so in one event', async () => {
    const subscription = await create({ metadata: { a: 'b' }, expand: ['latest_invoice.payments', 'items.data.price.product'] });
    const invoice = subscription.latest_invoice as Stripe.Invoice;
    expect(subscription).toMatchObject({ status: 'active', currency: 'usd', metadata: { a: 'b' }, trial_end: null });
    expect(subscription.items.data).toMatchObject([{ quantity: 1, price: { id: price, product: { name: 'Plan' } }, plan: { id: price } }]);
    expect(invoice).toMatchObject({
      status: 'paid',
      billing_reason: 'subscription_create',
      amount_paid: 3_000,
      parent: { subscription_details: { subscription: subscription.id, metadata: { a: 'b' } } },
      lines: { data: [{ amount: 3_000, parent: { subscription_item_details: { subscription_item: subscription.items.data[0]!.id } } }] },
      payments: { data: [{ status: 'paid', amount_paid: 3_000 }] },
    });
    expect(events('customer.subscription.created')).toMatchObject([{ data: { object: { status: 'active', latest_invoice: invoice.id } } }]);
    const told = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'customer.subscription.created'));
    expect(told.event.request?.id).toMatch(/^req_/);
  });

  it('is incomplete when nobody has paid, until the client confirms the intent', async () => {
    const subscription = await create({ payment_behavior: 'default_incomplete', expand: ['latest_invoice.confirmation_secret'] });
    const { confirmation_secret: secret } = subscription.latest_invoice as Stripe.Invoice;
    const intent = secret!.client_secret.split('_secret_')[0]!;
    await stripe.paymentIntents.confirm(intent, { payment_method: card });
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
    expect(events('customer.subscription.updated')).toMatchObject([{ data: { previous_attributes: { status: 'incomplete' } } }]);
  });

  it('comes to nothing when an error was asked for instead', async () => {
    await attach('pm_card_chargeCustomerFail');
    expect(await errorOf(create({ payment_behavior: 'error_if_incomplete' }))).toMatchObject({ statusCode: 402, code: 'card_declined' });
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toEqual([]);
    expect((await stripe.invoices.list()).data).toEqual([]);
  });

  it('costs nothing during its trial', async () => {
    const subscription = await create({ trial_period_days: 7 });
    expect(subscription).toMatchObject({ status: 'trialing', trial_start: near(subscription.created) });
    expect(subscription.trial_end).toEqual(near(subscription.created + 7 * DAY));
    expect(subscription.items.data[0]!.current_period_end).toBe(subscription.trial_end);
    expect(await invoices(subscription.id)).toMatchObject([{ status: 'paid', total: 0 }]);
    given.simulator.advanceClock(7 * DAY + HOUR + 2);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
    expect(await invoices(subscription.id)).toMatchObject([{ status: 'paid', total: 3_000 }, { total: 0 }]);
  });

  it('that is sent is active at once, with an invoice that waits', async () => {
    const subscription = await create({ collection_method: 'send_invoice', days_until_due: 14 });
    const [invoice] = await invoices(subscription.id);
    expect([subscription.status, invoice!.status]).toEqual(['active', 'open']);
    expect(invoice!.due_date).toEqual(near(invoice!.created + 14 * DAY));
  });

  it('keeps the method that paid when told so', async () => {
    const { id } = await create({
      payment_settings: { save_default_payment_method: 'on_subscription' },
      payment_behavior: 'default_incomplete',
    });
    const [invoice] = await invoices(id);
    await stripe.invoices.pay(invoice!.id, { payment_method: card });
    expect((await stripe.subscriptions.retrieve(id)).default_payment_method).toBe(card);
  });

  it.each([
    ['for nobody', { customer: undefined }, 'customer'],
    ['to nothing', { items: [] }, 'items'],
    ['to a missing price', { items: [{ price: 'price_x' }] }, 'items[0][price]'],
    ['with a method of nobody', { default_payment_method: 'pm_card_visa' }, 'default_payment_method'],
    ['with a trial that is over', { trial_end: 1 }, 'trial_end'],
    ['with an end that is past', { cancel_at: 1 }, 'cancel_at'],
    ['sent without a due date', { collection_method: 'send_invoice' }, 'days_until_due'],
    ['with discounts (not here)', { discounts: [{ coupon: 'x' }] }, 'discounts'],
    ['with tax rates of an item (not here)', { items: [{ price: 'price_x', tax_rates: ['txr_x'] }] }, 'items[0][tax_rates]'],
  ])('is refused %s', async (_, more, param) => {
    expect(await errorOf(create(more))).toMatchObject({ statusCode: 400, param });
  });

  it('is refused to a one-time price, to two rhythms, and without a method to pay with', async () => {
    const once = (await stripe.prices.create({ currency: 'usd', unit_amount: 5, product_data: { name: 'x' } })).id;
    expect((await errorOf(create({ items: [{ price: once }] }))).message).toContain('type=one_time');
    const yearly = await newPrice({ unit_amount: 9, recurring: { interval: 'year' } });
    expect((await errorOf(create({ items: [{ price }, { price: yearly }] }))).message).toContain('same billing interval');
    customer = (await stripe.customers.create()).id;
    expect(await errorOf(create())).toMatchObject({ code: 'resource_missing', statusCode: 400 });
  });
});

describe('A subscription as time goes by', () => {
  it('renews with a draft that is finalized and charged an hour later', async () => {
    const subscription = await create();
    const { current_period_end: end } = subscription.items.data[0]!;
    given.simulator.advanceClock(untilEnd(subscription));
    const [draft] = await invoices(subscription.id);
    expect(draft).toMatchObject({ status: 'draft', auto_advance: true, billing_reason: 'subscription_cycle', created: near(end) });
    expect(draft!.automatically_finalizes_at).toEqual(near(end + HOUR));
    const renewed = await stripe.subscriptions.retrieve(subscription.id);
    expect(renewed.items.data[0]!.current_period_start).toBe(end);
    expect(events('customer.subscription.updated')[0]).toMatchObject({
      data: { previous_attributes: { latest_invoice: subscription.latest_invoice, items: expect.anything() } },
      request: { id: null },
    });
    given.simulator.advanceClock(HOUR + 1);
    expect(await stripe.invoices.retrieve(draft!.id)).toMatchObject({
      status: 'paid',
      amount_paid: 3_000,
      number: expect.stringMatching(/-0002$/),
    });
  });

  it('renews once a month however far the clock jumps, each time at its own date', async () => {
    const subscription = await create();
    given.simulator.advanceClock(100 * DAY);
    const found = await invoices(subscription.id);
    expect(found.map(({ status }) => status)).toEqual(['paid', 'paid', 'paid', 'paid']);
    const starts = found.map(({ lines }) => lines.data[0]!.period.start);
    expect(new Set(starts.map((at) => new Date(at * 1000).getUTCMonth())).size).toBe(4);
    for (const { created, lines } of found.slice(0, 3)) expect(Math.abs(created - lines.data[0]!.period.start)).toBeLessThan(5);
  });

  it('is past due after a failure, retried, and canceled after the last retry', async () => {
    const { id } = await create();
    await attach('pm_card_chargeCustomerFail');
    given.simulator.advanceClock(31 * DAY + 2 * HOUR);
    const [invoice] = await invoices(id);
    expect(invoice).toMatchObject({ status: 'open', attempt_count: 1 });
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('past_due');
    given.simulator.advanceClock(3 * DAY);
    expect(await stripe.invoices.retrieve(invoice!.id)).toMatchObject({ attempt_count: 2 });
    given.simulator.advanceClock(5 * DAY);
    given.simulator.advanceClock(7 * DAY);
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
    });
    expect(await stripe.invoices.retrieve(invoice!.id)).toMatchObject({
      status: 'open',
      attempt_count: 4,
      auto_advance: false,
      next_payment_attempt: null,
    });
    expect(events('invoice.payment_failed')).toHaveLength(4);
  });

  it('may be left unpaid instead; its next invoices stay drafts', async () => {
    await given.end();
    await begin({ afterLastRetry: 'unpaid', invoiceRetrySeconds: [] });
    const { id } = await create();
    await attach('pm_card_chargeCustomerFail');
    given.simulator.advanceClock(31 * DAY + 2 * HOUR);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('unpaid');
    given.simulator.advanceClock(31 * DAY + 2 * HOUR);
    expect(await invoices(id)).toMatchObject([{ status: 'draft', auto_advance: false }, { status: 'open' }, { status: 'paid' }]);
  });

  it('survives a restart', async () => {
    await given.end();
    const folder = await mkdtemp(join(tmpdir(), 'stripe-simulator-'));
    await begin({ stateFile: join(folder, 'state.json') });
    const { id } = await create();
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: 'https://x.example',
      line_items: [{ price, quantity: 1 }],
    });
    await given.end();
    given = await givenSimulator({ stateFile: join(folder, 'state.json') });
    ({ stripe } = given);
    given.simulator.advanceClock(31 * DAY + 2 * HOUR);
    expect(await invoices(id)).toMatchObject([{ status: 'paid' }, { status: 'paid' }]);
    expect((await stripe.checkout.sessions.retrieve(session.id)).status).toBe('expired');
    expect(given.simulator.truth(['subscriptions', 'invoices', 'checkout_sessions'])).toMatchObject({
      subscriptions: [{ id, status: 'active' }],
      invoices: [{}, {}],
      checkout_sessions: [{ id: session.id }],
    });
    await given.end();
    await rm(folder, { recursive: true });
    await begin();
  });
});

describe('A subscription that is changed', () => {
  const halfway = (subscription: Stripe.Subscription): void =>
    given.simulator.advanceClock(Math.floor((subscription.items.data[0]!.current_period_end - now()) / 2));

  it('is prorated on the next invoice when an item changes', async () => {
    const subscription = await create();
    const bigger = await newPrice({ unit_amount: 6_000 });
    halfway(subscription);
    const [item] = subscription.items.data;
    const updated = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item!.id, price: bigger }],
      expand: ['latest_invoice'],
    });
    expect(updated.items.data).toMatchObject([{ id: item!.id, price: { id: bigger } }]);
    const { data } = await stripe.invoiceItems.list({ customer, pending: true });
    const [remaining, unused] = data;
    expect([remaining!.proration, unused!.proration]).toEqual([true, true]);
    expect(Math.abs(unused!.amount + 1_500)).toBeLessThanOrEqual(1);
    expect(Math.abs(remaining!.amount - 3_000)).toBeLessThanOrEqual(1);
    given.simulator.advanceClock(untilEnd(updated) + HOUR);
    const [invoice] = await invoices(subscription.id);
    expect(invoice).toMatchObject({ status: 'paid', total: unused!.amount + remaining!.amount + 6_000 });
  });

  it('bills the difference at once when told so, and nothing when told so', async () => {
    const subscription = await create();
    halfway(subscription);
    const items = [{ id: subscription.items.data[0]!.id, quantity: 3 }];
    await stripe.subscriptions.update(subscription.id, { items, proration_behavior: 'always_invoice' });
    const [invoice] = await invoices(subscription.id);
    expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });
    expect(Math.abs(invoice!.total - 3_000)).toBeLessThanOrEqual(2);
    await stripe.subscriptions.update(subscription.id, { items: [{ ...items[0], quantity: 1 }], proration_behavior: 'none' });
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([]);
  });

  it('starts a new period when its rhythm changes', async () => {
    const subscription = await create();
    const yearly = await newPrice({ unit_amount: 30_000, recurring: { interval: 'year' } });
    const updated = await stripe.subscriptions.update(subscription.id, { items: [{ id: subscription.items.data[0]!.id, price: yearly }] });
    const [item] = updated.items.data;
    expect((item!.current_period_end - item!.current_period_start) / DAY).toBeGreaterThanOrEqual(365);
    const [invoice] = await invoices(subscription.id);
    expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });
    expect(invoice!.total).toBeLessThan(30_000);
  });

  it('gains and loses items', async () => {
    const subscription = await create();
    const extra = await newPrice({ unit_amount: 100 });
    const more = await stripe.subscriptions.update(subscription.id, { items: [{ price: extra, quantity: 5 }] });
    expect(more.items.data).toHaveLength(2);
    const listed = await stripe.subscriptionItems.list({ subscription: subscription.id });
    expect(listed.data.map(({ id }) => id)).toEqual(more.items.data.map(({ id }) => id));
    expect((await stripe.subscriptionItems.retrieve(listed.data[1]!.id)).quantity).toBe(5);
    const fewer = await stripe.subscriptions.update(subscription.id, { items: [{ id: more.items.data[0]!.id, deleted: true }] });
    expect(fewer.items.data).toMatchObject([{ price: { id: extra } }]);
    const none = await errorOf(stripe.subscriptions.update(subscription.id, { items: [{ id: fewer.items.data[0]!.id, deleted: true }] }));
    expect(none).toMatchObject({ statusCode: 400, param: 'items' });
    expect(await errorOf(stripe.subscriptions.update(subscription.id, { items: [{ id: 'si_x' }] }))).toMatchObject({
      param: 'items[0][id]',
    });
  });

  it('has its trial ended early', async () => {
    const { id } = await create({ trial_period_days: 20 });
    expect((await stripe.subscriptions.update(id, { trial_end: 'now' })).status).toBe('active');
    expect((await invoices(id))[0]).toMatchObject({ status: 'paid', total: 3_000 });
  });

  it('says with what it was and stays quiet without a change', async () => {
    const { id } = await create({ description: 'old' });
    await stripe.subscriptions.update(id, { description: 'new' });
    await stripe.subscriptions.update(id, { description: 'new' });
    expect(events('customer.subscription.updated').map(({ data }) => data.previous_attributes)).toEqual([{ description: 'old' }]);
  });
});

describe('A subscription that is to end', () => {
  it('ends with its period, unless that is taken back', async () => {
    const first = await create();
    const ending = await stripe.subscriptions.update(first.id, {
      cancel_at_period_end: true,
      cancellation_details: { comment: 'moving', feedback: 'too_expensive' },
    });
    expect(ending).toMatchObject({
      cancel_at: first.items.data[0]!.current_period_end,
      cancellation_details: { reason: 'cancellation_requested', comment: 'moving', feedback: 'too_expensive' },
    });
    const kept = await stripe.subscriptions.update(first.id, { cancel_at_period_end: false });
    expect(kept).toMatchObject({ cancel_at: null, canceled_at: null, cancel_at_period_end: false });
    await stripe.subscriptions.update(first.id, { cancel_at_period_end: true });
    given.simulator.advanceClock(untilEnd(first));
    expect(await stripe.subscriptions.retrieve(first.id)).toMatchObject({
      status: 'canceled',
      ended_at: near(first.items.data[0]!.current_period_end),
    });
    expect(await invoices(first.id)).toHaveLength(1);
  });

  it('ends at a given time', async () => {
    const { id } = await create({ cancel_at: now() + 5 * DAY });
    given.simulator.advanceClock(5 * DAY + 1);
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('canceled');
  });

  it('ends now and gives back what is unused to the balance', async () => {
    const subscription = await create();
    given.simulator.advanceClock(Math.floor(untilEnd(subscription) / 2));
    const ended = await stripe.subscriptions.cancel(subscription.id, { prorate: true, invoice_now: true });
    expect(ended).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'cancellation_requested' } });
    const { balance } = (await stripe.customers.retrieve(customer)) as Stripe.Customer;
    expect(Math.abs(balance + 1_500)).toBeLessThanOrEqual(1);
    expect((await invoices(subscription.id))[0]).toMatchObject({ status: 'paid', amount_due: 0, total: balance });
  });

  it('goes with its customer, and is listed only when asked for', async () => {
    const { id } = await create();
    const with_ = (await stripe.customers.retrieve(customer, { expand: ['subscriptions'] })) as Stripe.Customer;
    expect(with_.subscriptions!.data.map((one) => one.id)).toEqual([id]);
    await stripe.customers.del(customer);
    expect((await stripe.subscriptions.list()).data).toEqual([]);
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toMatchObject([{ id, status: 'canceled' }]);
    expect(events('customer.subscription.deleted')).toHaveLength(1);
  });
});
