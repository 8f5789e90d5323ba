import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, errorOf, givenSimulator } from './given.js';

const DAY = 86_400;

let given: Given;
let stripe: Stripe;
let customer: string;
let price: string;
beforeAll(async () => {
  given = await givenSimulator({ invoiceRetrySeconds: [DAY], afterLastRetry: 'unpaid' });
  ({ stripe } = given);
});
beforeEach(async () => {
  given.simulator.reset();
  customer = (await stripe.customers.create()).id;
  await setDefault('pm_card_visa');
  const recurring = { interval: 'month' } as const;
  price = (await stripe.prices.create({ currency: 'usd', unit_amount: 1_500, recurring, product_data: { name: 'Plan' } })).id;
});
afterAll(() => given.end());

const setDefault = async (card: string): Promise<void> => {
  const { id } = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
};
const create = (more: object = {}): Promise<Stripe.Subscription> => stripe.subscriptions.create({ customer, items: [{ price }], ...more });
const statusOf = async (id: string): Promise<string> => (await stripe.subscriptions.retrieve(id)).status;
const latestOf = async (id: string): Promise<string> => (await stripe.subscriptions.retrieve(id)).latest_invoice as string;
const pastRenewal = async (id: string): Promise<void> => {
  const { items } = await stripe.subscriptions.retrieve(id);
  given.simulator.advanceClock(items.data[0]!.current_period_end - given.simulator.world.clock.nowSeconds() + 3_602);
};

describe('Without its latest invoice a subscription stands', () => {
  it('as unpaid when the one before was given up', async () => {
    const { id } = await create();
    await setDefault('pm_card_chargeCustomerFail');
    await pastRenewal(id);
    given.simulator.advanceClock(DAY + 1);
    expect(await statusOf(id)).toBe('unpaid');
    await pastRenewal(id);
    const draft = await latestOf(id);
    await stripe.invoices.finalizeInvoice(draft);
    await stripe.invoices.voidInvoice(draft);
    expect(await statusOf(id)).toBe('unpaid');
  });

  it('as past_due when the one before is overdue', async () => {
    const { id } = await create({ collection_method: 'send_invoice', days_until_due: 3 });
    await pastRenewal(id);
    expect(await statusOf(id)).toBe('past_due');
    await stripe.invoices.voidInvoice(await latestOf(id));
    expect(await statusOf(id)).toBe('past_due');
  });

  it('as it was when another than the latest becomes void', async () => {
    const { id, latest_invoice: first } = await create({ collection_method: 'send_invoice', days_until_due: 60 });
    await pastRenewal(id);
    await stripe.invoices.voidInvoice(first as string);
    expect(await statusOf(id)).toBe('active');
    await stripe.invoices.voidInvoice(await latestOf(id));
    expect(await statusOf(id)).toBe('active');
  });
});

describe('A due date', () => {
  it('that is moved away in time keeps a subscription active', async () => {
    const { id, latest_invoice: invoice } = await create({ collection_method: 'send_invoice', days_until_due: 3 });
    const { due_date: due } = await stripe.invoices.retrieve(invoice as string);
    await stripe.invoices.update(invoice as string, { due_date: due! + 5 * DAY });
    given.simulator.advanceClock(4 * DAY);
    expect(await statusOf(id)).toBe('active');
    given.simulator.advanceClock(5 * DAY);
    expect(await statusOf(id)).toBe('past_due');
    await stripe.invoices.pay(invoice as string);
    expect(await statusOf(id)).toBe('active');
  });
});

describe('The end of a subscription', () => {
  it('takes the prorations with it that wait, unless they are to be billed', async () => {
    const { id, items } = await create();
    await stripe.invoiceItems.create({ customer, amount: 100, currency: 'usd' });
    await stripe.subscriptions.update(id, { items: [{ id: items.data[0]!.id, quantity: 3 }] });
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toHaveLength(3);
    await stripe.subscriptions.cancel(id);
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toMatchObject([{ amount: 100, proration: false }]);
  });

  it('with a last invoice makes that its latest, and none when there is nothing to bill', async () => {
    const { id, latest_invoice: first } = await create();
    expect((await stripe.subscriptions.cancel(id, { invoice_now: true })).latest_invoice).toBe(first);
    const { id: other } = await create();
    const { latest_invoice: last } = await stripe.subscriptions.cancel(other, { invoice_now: true, prorate: true });
    expect(await stripe.invoices.retrieve(last as string)).toMatchObject({ total: -1_500, status: 'paid' });
  });

  it('within a trial credits nothing: nothing was paid', async () => {
    const { id } = await create({ trial_period_days: 7 });
    await stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true });
    expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({ balance: 0 });
  });
});

describe('A paused subscription', () => {
  it('that is sent its invoices can not be resumed', async () => {
    customer = (await stripe.customers.create()).id;
    const { id } = await create({ trial_period_days: 5, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } });
    given.simulator.advanceClock(5 * DAY + 1);
    await stripe.subscriptions.update(id, { collection_method: 'send_invoice', days_until_due: 3 });
    expect(await errorOf(stripe.subscriptions.resume(id))).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' });
    expect(await statusOf(id)).toBe('paused');
  });
});
