import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const NO_REDIRECTS = { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } } as const;

describe('When an intent is created', () => {
  it('waits for a payment method', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'eur', metadata: { payment_id: 'pay_1' } });
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      amount: 500,
      latest_charge: null,
      capture_method: 'automatic_async',
    });
    expect(intent.client_secret).toMatch(new RegExp(`^${intent.id}_secret_`));
    expect((await stripe.paymentIntents.retrieve(intent.id)).metadata).toEqual({ payment_id: 'pay_1' });
  });

  it('waits for its confirmation when it has a method', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'eur', payment_method: 'pm_card_visa' });
    expect(intent.status).toBe('requires_confirmation');
    expect(intent.payment_method).toMatch(/^pm_/);
  });

  it('refuses what only goes with confirm', async () => {
    const error = await errorOf(stripe.paymentIntents.create({ amount: 500, currency: 'eur', return_url: 'https://example.com' }));
    expect(error).toMatchObject({ statusCode: 400, param: 'return_url' });
  });
});

describe('When an intent is created and confirmed in one request', () => {
  it('has one payment method, made once', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    expect(given.simulator.world.paymentMethods.all().map(({ id }) => id)).toEqual([intent.payment_method]);
  });

  it.each([
    { payment_method: undefined as unknown as string },
    { automatic_payment_methods: { enabled: true } },
    { payment_method: 'pm_usBankAccount_success' },
    { payment_method: 'pm_card_amex', amount: 10 ** 9 },
    { payment_method: 'pm_x' },
  ])('leaves no intent behind when it is refused: %j', async (wrong) => {
    expect((await errorOf(stripe.paymentIntents.create({ ...PAY, ...wrong }))).statusCode).toBe(400);
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
    expect((await stripe.events.list()).data).toEqual([]);
  });
});

describe('When an intent is confirmed', () => {
  it('succeeds, and its balance transaction appears later with charge.updated', async () => {
    const created = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', ...NO_REDIRECTS });
    const intent = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa', expand: ['latest_charge'] });
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 2000 });
    const charge = intent.latest_charge as Stripe.Charge;
    expect(charge).toMatchObject({ status: 'succeeded', captured: true, balance_transaction: null });
    const updated = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'charge.updated'));
    expect(updated.event.data.previous_attributes).toEqual({ balance_transaction: null });
    const settled = await stripe.charges.retrieve(charge.id, { expand: ['balance_transaction'] });
    expect(settled.balance_transaction).toMatchObject({ amount: 2000, fee: 88, net: 1912, type: 'charge', status: 'pending' });
  });

  it('has its balance transaction at once when capture is synchronous', async () => {
    const intent = await stripe.paymentIntents.create({
      ...PAY,
      capture_method: 'automatic',
      expand: ['latest_charge.balance_transaction'],
    });
    expect((intent.latest_charge as Stripe.Charge).balance_transaction).toMatchObject({ object: 'balance_transaction', net: 1912 });
  });

  it('is declined with 402 and can be confirmed again with another method', async () => {
    const created = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', ...NO_REDIRECTS });
    const error = await errorOf(
      stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds' }),
    );
    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code: 'card_declined', decline_code: 'insufficient_funds' });
    expect(error.param).toBeUndefined();
    expect(error.payment_intent).toMatchObject({ id: created.id, status: 'requires_payment_method', payment_method: null });
    const declined = await stripe.paymentIntents.retrieve(created.id, { expand: ['latest_charge'] });
    expect(declined.last_payment_error).toMatchObject({ code: 'card_declined', decline_code: 'insufficient_funds' });
    expect(declined.latest_charge).toMatchObject({ status: 'failed', paid: false, failure_code: 'card_declined' });
    const good = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' });
    expect(good).toMatchObject({ status: 'succeeded', last_payment_error: null });
    expect((await stripe.charges.list({ payment_intent: created.id })).data.map(({ status }) => status)).toEqual(['succeeded', 'failed']);
  });

  it.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', 'processing_error'],
    ['pm_card_visa_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'card_velocity_exceeded'],
    ['pm_card_radarBlock', 'card_declined', 'fraudulent'],
  ])('declines %s with %s / %s', async (method, code, declineCode) => {
    expect(await errorOf(stripe.paymentIntents.create({ ...PAY, payment_method: method }))).toMatchObject({
      code,
      decline_code: declineCode,
    });
  });

  it('needs somewhere to return to while redirects are allowed', async () => {
    const created = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' });
    const error = await errorOf(stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' }));
    expect(error.message).toContain('you must provide a `return_url`');
    const confirmed = await stripe.paymentIntents.confirm(created.id, {
      payment_method: 'pm_card_visa',
      return_url: 'https://example.com',
    });
    expect(confirmed.status).toBe('succeeded');
  });

  it('is refused with the intent when it is done already', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    const error = await errorOf(stripe.paymentIntents.confirm(intent.id));
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
    expect(error.payment_intent).toMatchObject({ id: intent.id, status: 'succeeded' });
  });
});

describe('When the card asks for authentication', () => {
  it('succeeds once the customer has passed it', async () => {
    const intent = await stripe.paymentIntents.create({
      ...PAY,
      payment_method: 'pm_card_threeDSecure2Required',
      return_url: 'https://example.com/back',
    });
    expect(intent).toMatchObject({ status: 'requires_action', latest_charge: null, next_action: { type: 'redirect_to_url' } });
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: intent.id });
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
  });

  it('sends the customer back from its page', async () => {
    const intent = await stripe.paymentIntents.create({
      ...PAY,
      payment_method: 'pm_card_threeDSecure2Required',
      return_url: 'https://example.com/back?x=1',
    });
    const url = intent.next_action!.redirect_to_url!.url!;
    expect(await (await fetch(url)).text()).toContain('Authenticate 20.00 usd');
    const back = await fetch(`${url}?outcome=succeed`, { redirect: 'manual' });
    expect(back.headers.get('location')).toBe(
      `https://example.com/back?x=1&payment_intent=${intent.id}&payment_intent_client_secret=${intent.client_secret!}&redirect_status=succeeded`,
    );
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
    expect((await fetch(url)).status).toBe(404);
  });

  it('goes back to waiting for a method when the customer fails it', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_threeDSecure2Required' });
    expect(intent.next_action?.type).toBe('use_stripe_sdk');
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: intent.id, outcome: 'fail' });
    const failed = await stripe.paymentIntents.retrieve(intent.id);
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    });
  });

  it.each([{ off_session: true }, { error_on_requires_action: true }])('is declined when nobody can authenticate: %j', async (absent) => {
    const error = await errorOf(stripe.paymentIntents.create({ ...PAY, ...absent, payment_method: 'pm_card_authenticationRequired' }));
    expect(error).toMatchObject({ statusCode: 402, code: 'authentication_required' });
  });
});

describe('When confirmation is manual', () => {
  const MANUAL = { amount: 2000, currency: 'usd', confirm: true, confirmation_method: 'manual' } as const;

  it('is confirmed once more after the customer has passed authentication', async () => {
    const intent = await stripe.paymentIntents.create({ ...MANUAL, payment_method: 'pm_card_threeDSecure2Required' });
    expect(intent.status).toBe('requires_action');
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: intent.id });
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'requires_confirmation',
      next_action: null,
      latest_charge: null,
    });
    const done = await stripe.paymentIntents.confirm(intent.id, { expand: ['latest_charge'] });
    expect(done).toMatchObject({
      status: 'succeeded',
      latest_charge: { payment_method_details: { card: { three_d_secure: { result: 'authenticated' } } } },
    });
  });

  it('is asked again for another card', async () => {
    const intent = await stripe.paymentIntents.create({ ...MANUAL, payment_method: 'pm_card_threeDSecure2Required' });
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: intent.id });
    const other = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_threeDSecure2Required' });
    expect(other.status).toBe('requires_action');
  });
});

describe('When the amount changes', () => {
  const ASKING = { amount: 2_000, currency: 'usd', confirm: true, payment_method: 'pm_card_threeDSecure2Required' } as const;
  const wait = async (more: object = {}): Promise<string> => (await stripe.paymentIntents.create({ ...PAY, ...ASKING, ...more })).id;
  const complete = async (payment_intent: string): Promise<number> =>
    (await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent })).status;

  it('an authentication that is under way is dropped, and the next confirmation asks for one', async () => {
    const id = await wait();
    expect(await stripe.paymentIntents.update(id, { amount: 9_900 })).toMatchObject({ status: 'requires_confirmation', next_action: null });
    expect(await complete(id)).toBe(400);
    expect(await stripe.paymentIntents.confirm(id)).toMatchObject({ status: 'requires_action' });
    expect(await complete(id)).toBe(200);
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'succeeded', amount_received: 9_900 });
  });

  it('one that was passed counts no more', async () => {
    const id = await wait({ confirmation_method: 'manual', automatic_payment_methods: undefined });
    await complete(id);
    await stripe.paymentIntents.update(id, { amount: 9_900 });
    expect(await stripe.paymentIntents.confirm(id)).toMatchObject({ status: 'requires_action' });
  });

  it('to what it is, or in nothing but words, the authentication stays', async () => {
    const id = await wait();
    const { next_action: asked } = await stripe.paymentIntents.retrieve(id);
    expect((await stripe.paymentIntents.update(id, { amount: 2_000, description: 'Tea' })).next_action).toEqual(asked);
    expect(await complete(id)).toBe(200);
  });
});

describe('When capture is manual', () => {
  const authorize = (): Promise<Stripe.PaymentIntent> => stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });

  it('holds the money until it is captured', async () => {
    const held = await authorize();
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 2000, amount_received: 0 });
    const taken = await stripe.paymentIntents.capture(held.id);
    expect(taken).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 2000 });
  });

  it('captures a part and releases the rest', async () => {
    const held = await authorize();
    const taken = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500, expand: ['latest_charge'] });
    expect(taken.amount_received).toBe(1500);
    expect(taken.latest_charge).toMatchObject({ amount: 2000, amount_captured: 1500, amount_refunded: 500, refunded: false });
    expect((await stripe.refunds.create({ payment_intent: held.id })).amount).toBe(1500);
  });

  it('refuses more than was authorized, and a second capture', async () => {
    const held = await authorize();
    expect(await errorOf(stripe.paymentIntents.capture(held.id, { amount_to_capture: 2001 }))).toMatchObject({ code: 'amount_too_large' });
    await stripe.paymentIntents.capture(held.id);
    expect(await errorOf(stripe.paymentIntents.capture(held.id))).toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  it('releases the money on cancel', async () => {
    const held = await authorize();
    const canceled = await stripe.paymentIntents.cancel(held.id, {
      cancellation_reason: 'requested_by_customer',
      expand: ['latest_charge'],
    });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'requested_by_customer', amount_capturable: 0 });
    expect(canceled.latest_charge).toMatchObject({ refunded: true, amount_refunded: 2000, captured: false });
    const { data: releases } = await stripe.refunds.list({ payment_intent: held.id });
    expect(releases).toMatchObject([{ status: 'succeeded', amount: 2000, balance_transaction: null, reason: null }]);
  });

  it('expires after seven days of the virtual clock', async () => {
    const held = await authorize();
    given.simulator.advanceClock(7 * 86_400 + 1);
    expect(await stripe.paymentIntents.retrieve(held.id)).toMatchObject({ status: 'canceled', cancellation_reason: 'automatic' });
    const { data: releases } = await stripe.refunds.list({ payment_intent: held.id });
    expect(releases).toMatchObject([{ status: 'succeeded', amount: 2000, balance_transaction: null, reason: 'expired_uncaptured_charge' }]);
  });
});

describe('When an intent is updated', () => {
  it('merges metadata per key and unsets by an empty value', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd', metadata: { a: '1', b: '2' } });
    expect((await stripe.paymentIntents.update(intent.id, { metadata: { b: '', c: '3' } })).metadata).toEqual({ a: '1', c: '3' });
    expect((await stripe.paymentIntents.update(intent.id, { metadata: '' })).metadata).toEqual({});
  });

  it('changes the amount before the payment and not after it', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    expect((await stripe.paymentIntents.update(intent.id, { amount: 700 })).amount).toBe(700);
    const paid = await stripe.paymentIntents.create(PAY);
    expect(await errorOf(stripe.paymentIntents.update(paid.id, { amount: 700 }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    const shipping = { name: 'Ada', address: { line1: 'Street 1', city: 'Graz' } };
    expect(await stripe.paymentIntents.update(paid.id, { description: 'books', shipping })).toMatchObject({
      description: 'books',
      shipping,
    });
  });
});
