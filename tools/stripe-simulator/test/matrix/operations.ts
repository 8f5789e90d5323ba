import type Stripe from 'stripe';
import { type Simulator } from '../../src/simulator.js';
import { type World } from '../../src/world.js';
import { PAY } from '../given.js';

/** One call of a mutating operation on objects made for it, and how to tell whether it has taken effect. */
export interface Attempt {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly params: Record<string, unknown>;
  /** How often the effect is there: 0 or 1, and never more. */
  readonly effects: (world: World) => number;
}

type Prepare = (stripe: Stripe, simulator: Simulator) => Promise<Attempt>;
const post = (path: string, params: Record<string, unknown>, effects: Attempt['effects']): Attempt => ({
  method: 'POST',
  path,
  params,
  effects,
});
const created = (world: World, type: string): number => world.events.records.all().filter(({ event }) => event.type === type).length;
const authorized = (stripe: Stripe): Promise<Stripe.PaymentIntent> => stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });
const SESSION: Stripe.Checkout.SessionCreateParams = {
  mode: 'payment',
  success_url: 'https://example.com/paid',
  line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 2_000, product_data: { name: 'Book' } } }],
};

const SETUP: Stripe.SetupIntentCreateParams = {
  payment_method: 'pm_card_visa',
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
};

async function customerAndPrice(stripe: Stripe): Promise<{ customer: string; price: string }> {
  const customer = await stripe.customers.create({
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
    product_data: { name: 'Plan' },
  });
  return { customer: customer.id, price: price.id };
}

async function subscription(stripe: Stripe): Promise<Stripe.Subscription> {
  const { customer, price } = await customerAndPrice(stripe);
  return stripe.subscriptions.create({ customer, items: [{ price }] });
}

/** The operations that move money or decide about it, by their names in the routes. */
export const OPERATIONS: Readonly<Record<string, Prepare>> = {
  'POST /v1/payment_intents': async () => post('/v1/payment_intents', PAY, (world) => created(world, 'payment_intent.succeeded')),
  'POST /v1/payment_intents/{id}': async (stripe) => {
    const { id } = await stripe.paymentIntents.create({ ...PAY, confirm: false });
    const changed = (world: World): number => Number(world.paymentIntents.get(id)?.amount === 777);
    return post(`/v1/payment_intents/${id}`, { amount: 777 }, changed);
  },
  'POST /v1/payment_intents/{id}/confirm': async (stripe) => {
    const { id } = await stripe.paymentIntents.create({ ...PAY, confirm: false });
    return post(`/v1/payment_intents/${id}/confirm`, {}, (world) => world.charges.by('payment_intent', id).length);
  },
  'POST /v1/payment_intents/{id}/capture': async (stripe) => {
    const { id } = await authorized(stripe);
    return post(`/v1/payment_intents/${id}/capture`, { amount_to_capture: 500 }, (world) => created(world, 'charge.captured'));
  },
  'POST /v1/payment_intents/{id}/cancel': async (stripe) => {
    const { id } = await authorized(stripe);
    return post(`/v1/payment_intents/${id}/cancel`, {}, (world) => created(world, 'payment_intent.canceled'));
  },
  'POST /v1/refunds': async (stripe) => {
    const { id } = await stripe.paymentIntents.create(PAY);
    return post('/v1/refunds', { payment_intent: id, amount: 300 }, (world) => world.refunds.size);
  },
  'POST /v1/refunds/{id}': async (stripe) => {
    const { id } = await stripe.refunds.create({ payment_intent: (await stripe.paymentIntents.create(PAY)).id });
    return post(`/v1/refunds/${id}`, { metadata: { seen: 'yes' } }, (world) => created(world, 'refund.updated'));
  },
  'POST /v1/checkout/sessions': async () => post('/v1/checkout/sessions', { ...SESSION }, (world) => world.checkoutSessions.size),
  'POST /v1/checkout/sessions/{id}': async (stripe) => {
    const { id } = await stripe.checkout.sessions.create(SESSION);
    const changed = (world: World): number => Number(world.checkoutSessions.get(id)?.metadata?.['seen'] === 'yes');
    return post(`/v1/checkout/sessions/${id}`, { metadata: { seen: 'yes' } }, changed);
  },
  'POST /v1/checkout/sessions/{id}/expire': async (stripe) => {
    const { id } = await stripe.checkout.sessions.create(SESSION);
    return post(`/v1/checkout/sessions/${id}/expire`, {}, (world) => created(world, 'checkout.session.expired'));
  },
  'POST /v1/payment_pages/{id}/confirm': async (stripe) => {
    const { id } = await stripe.checkout.sessions.create(SESSION);
    const params = { payment_method: 'pm_card_visa', expected_amount: 2_000 };
    return post(`/v1/payment_pages/${id}/confirm`, params, (world) => created(world, 'checkout.session.completed'));
  },
  'POST /v1/setup_intents': async () =>
    post('/v1/setup_intents', { ...SETUP, confirm: true }, (world) => created(world, 'setup_intent.succeeded')),
  'POST /v1/setup_intents/{id}': async (stripe) => {
    const { id } = await stripe.setupIntents.create(SETUP);
    const changed = (world: World): number => Number(world.setupIntents.get(id)?.metadata?.['seen'] === 'yes');
    return post(`/v1/setup_intents/${id}`, { metadata: { seen: 'yes' } }, changed);
  },
  'POST /v1/setup_intents/{id}/confirm': async (stripe) => {
    const { id } = await stripe.setupIntents.create(SETUP);
    return post(`/v1/setup_intents/${id}/confirm`, {}, (world) => created(world, 'setup_intent.succeeded'));
  },
  'POST /v1/setup_intents/{id}/cancel': async (stripe) => {
    const { id } = await stripe.setupIntents.create(SETUP);
    return post(`/v1/setup_intents/${id}/cancel`, {}, (world) => created(world, 'setup_intent.canceled'));
  },
  'POST /v1/subscriptions': async (stripe) => {
    const { customer, price } = await customerAndPrice(stripe);
    return post('/v1/subscriptions', { customer, items: [{ price }] }, (world) => world.subscriptions.size);
  },
  'POST /v1/subscriptions/{id}': async (stripe) => {
    const { id } = await subscription(stripe);
    return post(`/v1/subscriptions/${id}`, { metadata: { seen: 'yes' } }, (world) => created(world, 'customer.subscription.updated'));
  },
  'DELETE /v1/subscriptions/{id}': async (stripe) => {
    const { id } = await subscription(stripe);
    const effects = (world: World): number => created(world, 'customer.subscription.deleted');
    return { method: 'DELETE', path: `/v1/subscriptions/${id}`, params: {}, effects };
  },
  'POST /v1/subscriptions/{id}/resume': async (stripe, simulator) => {
    const { price } = await customerAndPrice(stripe);
    const { id: customer } = await stripe.customers.create({});
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price }],
      trial_period_days: 1,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    });
    simulator.advanceClock(86_401);
    await stripe.paymentMethods
      .attach('pm_card_visa', { customer })
      .then((method) => stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } }));
    return post(`/v1/subscriptions/${id}/resume`, {}, (world) => created(world, 'customer.subscription.resumed'));
  },
  'POST /v1/invoices/{id}/pay': async (stripe) => {
    const { customer } = await customerAndPrice(stripe);
    const invoice = await stripe.invoices.create({ customer, auto_advance: false });
    await stripe.invoiceItems.create({ customer, invoice: invoice.id!, amount: 700, currency: 'usd' });
    await stripe.invoices.finalizeInvoice(invoice.id!, { auto_advance: false });
    return post(`/v1/invoices/${invoice.id}/pay`, {}, (world) => created(world, 'invoice.paid'));
  },
};

/** Mutating operations of the same resources that the matrix leaves out, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'POST /v1/refunds/{id}/cancel': 'no refund of a card can be canceled, so there is no effect to look for',
};
