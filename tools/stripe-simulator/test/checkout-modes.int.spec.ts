import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, control, eventually, givenSimulator } from './given.js';

const SUCCESS_URL = 'https://shop.example/thanks';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ debitDelayMs: 3_600_000, balanceDelayMs: 36_000_000 });
  ({ stripe } = given);
});
afterEach(() => given.end());

const pay = (session: string, payment_method?: string): Promise<{ status: number; value: never }> =>
  control(given.simulator, 'POST', '/__dashboard/pay_checkout', { session, ...(payment_method && { payment_method }) });
const types = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
const told = (type: string): Promise<{ event: Stripe.Event }> =>
  eventually(() => given.receiver.received.find(({ event }) => event.type === type));
const read = (id: string): Promise<Stripe.Checkout.Session> => stripe.checkout.sessions.retrieve(id);

describe('A session in subscription mode', () => {
  const item = (more: object = {}) => ({
    price_data: { currency: 'usd', unit_amount: 2_000, product_data: { name: 'Plan' }, recurring: { interval: 'month' }, ...more },
    quantity: 1,
  });
  const create = (more: object = {}): Promise<Stripe.Checkout.Session> =>
    stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: SUCCESS_URL,
      line_items: [item() as never],
      customer_email: 'a@example.com',
      subscription_data: { metadata: { plan: 'gold' } },
      ...more,
    });

  it('becomes a subscription whose first invoice is paid', async () => {
    const { id } = await create();
    await pay(id);
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['subscription', 'invoice', 'customer'] });
    expect(session).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      payment_intent: null,
      customer: { email: 'a@example.com' },
      subscription: { status: 'active', metadata: { plan: 'gold' } },
      invoice: { status: 'paid', billing_reason: 'subscription_create', amount_paid: 2_000 },
    });
    const { data } = (await told('checkout.session.completed')).event;
    expect(data.object).toMatchObject({ id, subscription: (session.subscription as Stripe.Subscription).id });
    expect(types().filter((type) => !/^(product|price|plan)\./.test(type))).toEqual([
      'customer.created',
      'payment_method.attached',
      'invoice.created',
      'payment_intent.created',
      'invoice.finalized',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice_payment.paid',
      'invoice.updated',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.created',
      'checkout.session.completed',
    ]);
    given.simulator.advanceClock(32 * 86_400);
    expect((await stripe.invoices.list({ subscription: (session.subscription as Stripe.Subscription).id })).data).toHaveLength(2);
  });

  it('bills one-time prices with the first invoice only', async () => {
    const { id } = await create({ line_items: [item(), { ...item({ recurring: undefined, unit_amount: 500 }), quantity: 2 }] });
    await pay(id);
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['invoice'] });
    expect(session.amount_total).toBe(3_000);
    expect(session.invoice).toMatchObject({ status: 'paid', total: 3_000 });
  });

  it('stays open after a decline; the next card pays the same invoice', async () => {
    const { id } = await create();
    expect((await pay(id, 'pm_card_chargeCustomerFail')).status).toBe(402);
    const open = await read(id);
    expect(open).toMatchObject({ status: 'open', subscription: expect.stringMatching(/^sub_/) });
    expect((await stripe.subscriptions.retrieve(open.subscription as string)).status).toBe('incomplete');
    await pay(id);
    expect(await read(id)).toMatchObject({ status: 'complete', payment_status: 'paid', subscription: open.subscription });
    expect((await stripe.subscriptions.retrieve(open.subscription as string)).status).toBe('active');
  });

  it('refuses a card that cannot even be saved, without a trace', async () => {
    const { id } = await create();
    expect((await pay(id, 'pm_card_chargeDeclined')).status).toBe(402);
    expect(await read(id)).toMatchObject({ status: 'open', subscription: null });
  });

  it('is completed by the authentication of the card', async () => {
    const { id, url } = await create();
    const form = new URLSearchParams({ payment_method: 'pm_card_threeDSecure2Required' });
    const bank = await fetch(url!, { method: 'POST', body: form, redirect: 'manual' });
    expect((await read(id)).status).toBe('open');
    const back = await fetch(`${bank.headers.get('location')}?outcome=succeed`, { redirect: 'manual' });
    const done = await fetch(back.headers.get('location')!, { redirect: 'manual' });
    expect(done.headers.get('location')).toBe(SUCCESS_URL);
    expect(await read(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it('takes the unpaid subscription with it when it expires', async () => {
    const { id } = await create();
    await pay(id, 'pm_card_chargeCustomerFail');
    const { subscription } = await read(id);
    await stripe.checkout.sessions.expire(id);
    expect((await stripe.subscriptions.retrieve(subscription as string)).status).toBe('incomplete_expired');
  });

  it('may begin with a trial, without a card where none is required', async () => {
    const trial = { subscription_data: { trial_period_days: 10 }, payment_method_collection: 'if_required' };
    const { id, url } = await create(trial);
    const paid = await fetch(url!, { method: 'POST', body: '', redirect: 'manual' });
    expect(paid.status).toBe(303);
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['subscription'] });
    expect(session).toMatchObject({
      payment_status: 'no_payment_required',
      subscription: { status: 'trialing', default_payment_method: null },
    });
  });
});

describe('A session in setup mode', () => {
  const create = async (): Promise<Stripe.Checkout.Session> =>
    stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'usd',
      success_url: SUCCESS_URL,
      customer: (await stripe.customers.create()).id,
      setup_intent_data: { metadata: { a: 'b' } },
    });

  it('keeps a method for later', async () => {
    const { id, customer } = await create();
    await pay(id);
    const session = await stripe.checkout.sessions.retrieve(id, { expand: ['setup_intent'] });
    expect(session).toMatchObject({ status: 'complete', payment_status: 'no_payment_required', amount_total: null });
    expect(session.setup_intent).toMatchObject({ status: 'succeeded', customer, metadata: { a: 'b' } });
    expect((await stripe.customers.listPaymentMethods(customer as string)).data).toHaveLength(1);
  });

  it('stays open after a decline', async () => {
    const { id } = await create();
    expect((await pay(id, 'pm_card_chargeDeclined')).status).toBe(402);
    expect((await read(id)).status).toBe('open');
    await pay(id);
    expect((await read(id)).status).toBe('complete');
  });
});

describe('A session that is paid by bank debit', () => {
  const create = (): Promise<Stripe.Checkout.Session> =>
    stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: SUCCESS_URL,
      line_items: [{ price_data: { currency: 'usd', unit_amount: 2_000, product_data: { name: 'Tea' } }, quantity: 1 }],
    });

  it.each([
    ['pm_usBankAccount_success', 'checkout.session.async_payment_succeeded', 'paid', 'charge.succeeded'],
    ['pm_usBankAccount_insufficientFunds', 'checkout.session.async_payment_failed', 'unpaid', 'charge.failed'],
  ])('is complete but unpaid until the bank answers: %s, %s', async (method, type, status, charge) => {
    const { id } = await create();
    await pay(id, method);
    expect(await read(id)).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    expect((await told('checkout.session.completed')).event.data.object).toMatchObject({ id, payment_status: 'unpaid' });
    const before = types().length;
    given.simulator.advanceClock(3_601);
    expect(await read(id)).toMatchObject({ status: 'complete', payment_status: status });
    const late = (await told(type)).event;
    expect(late.data.object).toMatchObject({ id, payment_status: status });
    expect(late.request).toEqual({ id: null, idempotency_key: null });
    expect(types().slice(before)).toEqual([charge, `payment_intent.${status === 'paid' ? 'succeeded' : 'payment_failed'}`, type]);
  });
});
