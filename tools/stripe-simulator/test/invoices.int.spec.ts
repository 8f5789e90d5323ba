import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type StripeEvent } from '../src/events/event.js';
import { OUTCOMES, type OutcomeName } from '../src/invoices/transitions.js';
import { type Given, errorOf, givenSimulator } from './given.js';
import { causeOf, changesIn } from './told.js';

let given: Given;
let stripe: Stripe;
let customer: string;
let card: string;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
beforeEach(async () => {
  given.simulator.reset();
  customer = (await stripe.customers.create({ name: 'Ada', invoice_prefix: 'ADA' })).id;
  card = (await stripe.paymentMethods.attach('pm_card_visa', { customer })).id;
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card } });
});
afterAll(() => given.end());

const item = (more: object = {}): Promise<Stripe.InvoiceItem> =>
  stripe.invoiceItems.create({ customer, amount: 2_500, currency: 'usd', description: 'Work', ...more });
const draft = async (more: object = {}): Promise<Stripe.Invoice> => {
  await item();
  return stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include', ...more });
};
const open = async (more: object = {}): Promise<Stripe.Invoice> => stripe.invoices.finalizeInvoice((await draft(more)).id);
const events = (): StripeEvent[] =>
  given.simulator.world.events.records
    .all()
    .map(({ event }) => event)
    .filter(({ type }) => type !== 'charge.updated');
const SENT = { collection_method: 'send_invoice', days_until_due: 30 } as const;

describe('Invoice items', () => {
  it('wait for an invoice, by amount, by price or by a price made at the spot', async () => {
    const price = await stripe.prices.create({ currency: 'usd', unit_amount: 300, product_data: { name: 'Hour' } });
    const byPrice = await stripe.invoiceItems.create({ customer, pricing: { price: price.id }, quantity: 3 });
    expect(byPrice).toMatchObject({ amount: 900, quantity: 3, description: 'Hour', pricing: { price_details: { price: price.id } } });
    const inline = await stripe.invoiceItems.create({
      customer,
      price_data: { currency: 'usd', product: price.product as string, unit_amount: 50 },
    });
    expect(inline.amount).toBe(50);
    await item();
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toHaveLength(3);
    const invoice = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(invoice).toMatchObject({
      total: 3_450,
      amount_due: 3_450,
      lines: { data: [{ amount: 900 }, { amount: 50 }, { amount: 2_500 }] },
    });
    expect((await stripe.invoiceItems.list({ customer, pending: true })).data).toEqual([]);
  });

  it('change a draft they are on, and no other invoice', async () => {
    const invoice = await stripe.invoices.create({ customer });
    const one = await item({ invoice: invoice.id });
    expect((await stripe.invoices.retrieve(invoice.id)).total).toBe(2_500);
    await stripe.invoiceItems.update(one.id, { amount: 700, metadata: { a: 'b' } });
    const { data } = await stripe.invoices.listLineItems(invoice.id);
    expect(data).toMatchObject([{ amount: 700, metadata: { a: 'b' }, parent: { invoice_item_details: { invoice_item: one.id } } }]);
    await stripe.invoiceItems.del((await item({ invoice: invoice.id })).id);
    await stripe.invoices.finalizeInvoice(invoice.id);
    expect(await errorOf(stripe.invoiceItems.del(one.id))).toMatchObject({ statusCode: 400, code: 'invoice_not_editable' });
    expect(await errorOf(item({ invoice: invoice.id }))).toMatchObject({ statusCode: 400, code: 'invoice_not_editable' });
  });

  it.each([
    ['of nothing', { amount: undefined }, 'amount'],
    ['of a recurring price', { amount: undefined, price_data: undefined, pricing: { price: 'price_x' } }, 'pricing[price]'],
    ['for a missing customer', { customer: 'cus_x' }, 'customer'],
    ['for a missing invoice', { invoice: 'in_x' }, 'invoice'],
    ['with discounts (not here)', { discounts: [{ coupon: 'x' }] }, 'discounts'],
  ])('are refused %s', async (_, more, param) => {
    expect(await errorOf(item(more))).toMatchObject({ statusCode: 400, param });
  });
});

describe('An invoice', () => {
  it('gets its number, page, intent and payment when it is finalized', async () => {
    const { id } = await open();
    const invoice = await stripe.invoices.retrieve(id, { expand: ['payments', 'confirmation_secret'] });
    expect(invoice).toMatchObject({ status: 'open', number: 'ADA-0001', amount_due: 2_500, amount_remaining: 2_500, attempted: false });
    const [payment] = invoice.payments!.data;
    expect(payment).toMatchObject({ amount_requested: 2_500, amount_paid: null, is_default: true, status: 'open' });
    const intent = await stripe.paymentIntents.retrieve(payment!.payment.payment_intent as string);
    expect(intent).toMatchObject({ amount: 2_500, customer, status: 'requires_payment_method' });
    expect(invoice.confirmation_secret).toEqual({ client_secret: intent.client_secret, type: 'payment_intent' });
    expect(await (await fetch(invoice.hosted_invoice_url!)).text()).toContain('25.00 usd');
    expect((await open()).number).toBe('ADA-0002');
  });

  it('is paid with the default method, and its payment tells with which intent', async () => {
    const { id } = await open();
    const paid = await stripe.invoices.pay(id);
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 2_500, amount_remaining: 0, attempt_count: 1, attempted: true });
    const { data } = await stripe.invoicePayments.list({ invoice: id, expand: ['data.payment.payment_intent'] });
    expect(data).toMatchObject([{ status: 'paid', amount_paid: 2_500, payment: { payment_intent: { status: 'succeeded' } } }]);
    const intent = (data[0]!.payment.payment_intent as Stripe.PaymentIntent).id;
    const byIntent = await stripe.invoicePayments.list({ payment: { type: 'payment_intent', payment_intent: intent } });
    expect(byIntent.data.map(({ invoice }) => invoice)).toEqual([id]);
    const updated = events().find(({ type }) => type === 'invoice.updated');
    expect(updated?.data.previous_attributes).toMatchObject({ status: 'open', amount_paid: 0, attempted: false });
  });

  it('is paid by whoever confirms its intent, which cannot be cancelled directly', async () => {
    const { id } = await open();
    const [payment] = (await stripe.invoicePayments.list({ invoice: id })).data;
    const intent = payment!.payment.payment_intent as string;
    expect((await errorOf(stripe.paymentIntents.cancel(intent))).message).toContain(`Void the invoice ${id}`);
    await stripe.paymentIntents.confirm(intent, { payment_method: card });
    expect((await stripe.invoices.retrieve(id)).status).toBe('paid');
  });

  it('stays open after a decline; further attempts by hand do not count', async () => {
    const { id } = await open();
    for (const method of ['pm_card_chargeCustomerFail', 'pm_card_chargeCustomerFail']) {
      expect(await errorOf(stripe.invoices.pay(id, { payment_method: method }))).toMatchObject({ statusCode: 402, code: 'card_declined' });
    }
    expect(await stripe.invoices.retrieve(id)).toMatchObject({
      status: 'open',
      attempt_count: 1,
      attempted: true,
      next_payment_attempt: null,
    });
    expect((await stripe.invoices.pay(id, { payment_method: 'pm_card_visa' })).status).toBe('paid');
  });

  it('asks the payer where the bank wants to see them, and is declined where `off_session` says that they are absent', async () => {
    const { id } = await open();
    const asks = { payment_method: 'pm_card_threeDSecure2Required' };
    const absent = await errorOf(stripe.invoices.pay(id, { ...asks, off_session: true }));
    expect(absent).toMatchObject({ statusCode: 402, code: 'authentication_required' });
    const there = await errorOf(stripe.invoices.pay(id, { ...asks, off_session: false }));
    expect(there).toMatchObject({ statusCode: 402, code: 'invoice_payment_intent_requires_action' });
  });

  it('cannot be paid without a method', async () => {
    customer = (await stripe.customers.create()).id;
    expect((await errorOf(stripe.invoices.pay((await open()).id))).message).toContain('no `default_payment_method` set');
  });

  it('that advances by itself is finalized after an hour and charged, and tried again when that fails', async () => {
    const failing = (await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })).id;
    const { id } = await draft({ auto_advance: true, default_payment_method: failing });
    given.simulator.advanceClock(3_601);
    const failed = await stripe.invoices.retrieve(id);
    expect(failed).toMatchObject({ status: 'open', attempt_count: 1 });
    expect(Math.abs(failed.next_payment_attempt! - failed.status_transitions.finalized_at! - 3 * 86_400)).toBeLessThanOrEqual(5);
    const told = events().findLast(({ type }) => type === 'invoice.payment_failed');
    expect(told?.data.object).toMatchObject({ id, next_payment_attempt: failed.next_payment_attempt });
    await stripe.invoices.update(id, { default_payment_method: card });
    given.simulator.advanceClock(3 * 86_400);
    expect(await stripe.invoices.retrieve(id)).toMatchObject({ status: 'paid', attempt_count: 2, next_payment_attempt: null });
  });

  it('uses up the credit of the customer first, and carries what is too little to charge', async () => {
    await stripe.customers.update(customer, { balance: -1_000 });
    expect(await open()).toMatchObject({ total: 2_500, starting_balance: -1_000, amount_due: 1_500, ending_balance: 0 });
    await item({ amount: 30 });
    const small = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
    expect(await stripe.invoices.finalizeInvoice(small.id)).toMatchObject({ status: 'paid', amount_due: 0, ending_balance: 30 });
    expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({ balance: 30 });
  });

  it('may be changed as a draft; later only in how it is collected', async () => {
    const { id } = await draft();
    expect(await stripe.invoices.update(id, { description: 'May', footer: 'Thanks' })).toMatchObject({
      description: 'May',
      footer: 'Thanks',
    });
    await stripe.invoices.finalizeInvoice(id);
    expect(await errorOf(stripe.invoices.update(id, { description: 'June' }))).toMatchObject({
      code: 'invoice_not_editable',
      param: 'description',
    });
    expect((await stripe.invoices.update(id, { metadata: { a: 'b' } })).metadata).toEqual({ a: 'b' });
  });

  it('of a subscription is never deleted', async () => {
    const price = { currency: 'usd', unit_amount: 900, recurring: { interval: 'month' } } as const;
    const { id: product } = await stripe.products.create({ name: 'Plan' });
    const { id: subscription } = await stripe.subscriptions.create({ customer, items: [{ price_data: { ...price, product } }] });
    const { id } = await stripe.invoices.create({ customer, subscription });
    expect(await errorOf(stripe.invoices.del(id))).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' });
    expect((await stripe.invoices.retrieve(id)).status).toBe('draft');
  });

  it('tells with which draft it was when an item is changed or goes', async () => {
    const { id } = await draft();
    const [line] = (await stripe.invoices.listLineItems(id)).data;
    const one = line!.parent!.invoice_item_details!.invoice_item;
    await stripe.invoiceItems.update(one, { amount: 700 });
    expect(events().at(-1)).toMatchObject({ type: 'invoice.updated', data: { previous_attributes: { total: 2_500, amount_due: 2_500 } } });
    await stripe.invoiceItems.del(one);
    expect(events().slice(-2)).toMatchObject([
      { type: 'invoiceitem.deleted', request: causeOf(given, 'request') },
      { type: 'invoice.updated', data: { previous_attributes: { total: 700 } }, request: causeOf(given, 'request') },
    ]);
  });

  it('is found by customer, status and way of collection', async () => {
    const { id } = await open(SENT);
    await draft();
    expect((await stripe.invoices.list({ customer, status: 'open' })).data.map((one) => one.id)).toEqual([id]);
    expect((await stripe.invoices.list({ collection_method: 'charge_automatically' })).data).toHaveLength(1);
    const { due_date: due, created } = await stripe.invoices.retrieve(id);
    expect(Math.abs(due! - created - 30 * 86_400)).toBeLessThanOrEqual(5);
  });

  it.each([
    ['for nobody', { customer: undefined }, 'customer'],
    ['with a due date though it is charged', { days_until_due: 3 }, 'days_until_due'],
    ['sent without a due date', { collection_method: 'send_invoice' }, 'days_until_due'],
    ["with somebody else's card", { default_payment_method: 'pm_x' }, 'default_payment_method'],
    ['with tax (not here)', { automatic_tax: { enabled: true } }, 'automatic_tax'],
  ])('is refused %s', async (_, more, param) => {
    expect(await errorOf(stripe.invoices.create({ customer, ...more } as Stripe.InvoiceCreateParams))).toMatchObject({
      statusCode: 400,
      param,
    });
  });
});

describe('The table of outcomes of an invoice', () => {
  let start = 0;
  const before = (step: () => Promise<unknown>): Promise<unknown> => {
    start = events().length;
    return step();
  };
  const BRING: Readonly<Record<OutcomeName, () => Promise<unknown>>> = {
    created: async () => item().then(() => before(() => stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' }))),
    updated: async () => draft().then(({ id }) => before(() => stripe.invoices.update(id, { description: 'x' }))),
    deleted: async () => draft().then(({ id }) => before(() => stripe.invoices.del(id))),
    finalized: async () => draft().then(({ id }) => before(() => stripe.invoices.finalizeInvoice(id))),
    finalized_free: async () => stripe.invoices.create({ customer }).then(({ id }) => before(() => stripe.invoices.finalizeInvoice(id))),
    paid: async () => open().then(({ id }) => before(() => stripe.invoices.pay(id))),
    paid_as_draft: async () => draft().then(({ id }) => before(() => stripe.invoices.pay(id))),
    paid_elsewhere: async () => open().then(({ id }) => before(() => stripe.invoices.pay(id, { paid_out_of_band: true }))),
    declined: async () =>
      open().then(({ id }) => before(() => errorOf(stripe.invoices.pay(id, { payment_method: 'pm_card_chargeCustomerFail' })))),
    action_required: async () =>
      open().then(({ id }) =>
        before(() => stripe.invoices.pay(id, { payment_method: 'pm_card_threeDSecure2Required' }).catch(() => undefined)),
      ),
    sent: async () => open(SENT).then(({ id }) => before(() => stripe.invoices.sendInvoice(id))),
    voided: async () => open().then(({ id }) => before(() => stripe.invoices.voidInvoice(id))),
    uncollectible: async () => open().then(({ id }) => before(() => stripe.invoices.markUncollectible(id))),
  };

  const TRIED = { attempt_count: 0, attempted: false };
  const CLOSING = { ...TRIED, status: 'open', status_transitions: { paid_at: null } };
  const PAYING = { ...CLOSING, amount_paid: 0, amount_remaining: 2_500 };
  /** What `invoice.updated` says that there was before. */
  const BEFORE: Readonly<Partial<Record<OutcomeName, readonly object[]>>> = {
    updated: [{ description: null }],
    finalized_free: [CLOSING],
    paid: [PAYING],
    paid_as_draft: [PAYING],
    paid_elsewhere: [{ ...PAYING, amount_paid_off_stripe: null }],
    declined: [TRIED],
    action_required: [TRIED],
    voided: [{ status: 'open', status_transitions: { voided_at: null } }],
    uncollectible: [{ status: 'open', status_details: null, status_transitions: { marked_uncollectible_at: null } }],
  };

  it.each(Object.keys(OUTCOMES) as OutcomeName[])('%s: exactly its events, in its state', async (name) => {
    await BRING[name]();
    const cause = causeOf(given, 'request');
    const written = events()
      .slice(start)
      .filter(({ type }) => type !== 'charge.updated');
    expect(written.map(({ type }) => type)).toEqual(OUTCOMES[name].events);
    expect(changesIn(written)).toEqual(BEFORE[name] ?? []);
    for (const { request } of written) expect(request).toEqual(cause);
    expect(given.simulator.world.invoices.all()[0]?.status ?? 'deleted').toBe(OUTCOMES[name].status);
  });
});
