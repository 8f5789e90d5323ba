import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const KEY = { idempotencyKey: 'a-key' };

describe('When a request is repeated with its key', () => {
  it('answers the same without a second effect', async () => {
    const first = await stripe.paymentIntents.create(PAY, KEY);
    const again = await stripe.paymentIntents.create(PAY, KEY);
    expect({ ...again }).toEqual({ ...first });
    expect(given.simulator.world.paymentIntents.size).toBe(1);
    expect(first.lastResponse.headers).toMatchObject({
      'idempotency-key': 'a-key',
      'original-request': first.lastResponse.requestId,
      'stripe-should-retry': 'false',
    });
    expect(again.lastResponse.headers).toMatchObject({ 'idempotent-replayed': 'true', 'original-request': first.lastResponse.requestId });
    expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
  });

  it('answers as it was, not as the object is now', async () => {
    const first = await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' }, KEY);
    await stripe.paymentIntents.capture(first.id);
    expect((await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' }, KEY)).status).toBe('requires_capture');
  });

  it('keeps a decline and a refusal by state', async () => {
    const declined = { ...PAY, payment_method: 'pm_card_chargeDeclined' };
    const [first, again] = [
      await errorOf(stripe.paymentIntents.create(declined, KEY)),
      await errorOf(stripe.paymentIntents.create(declined, KEY)),
    ];
    expect(again.payment_intent?.id).toBe(first.payment_intent?.id);
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    await errorOf(stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'b' }));
    const replayed = await errorOf(stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: 'b' }));
    expect(replayed).toMatchObject({ code: 'payment_intent_unexpected_state', headers: { 'idempotent-replayed': 'true' } });
  });

  it('does not keep refused parameters, and lets the key be used for good ones', async () => {
    expect(await errorOf(stripe.paymentIntents.create({ amount: 1, currency: 'usd' }, KEY))).toMatchObject({ code: 'amount_too_small' });
    expect((await stripe.paymentIntents.create({ amount: 100, currency: 'usd' }, KEY)).amount).toBe(100);
  });

  it('does not keep a rate limit', async () => {
    given.simulator.addFault({ fault: 'rate_limit' });
    await errorOf(stripe.paymentIntents.create(PAY, KEY));
    expect((await stripe.paymentIntents.create(PAY, KEY)).status).toBe('succeeded');
  });

  it('forgets the key after 24 hours of the virtual clock', async () => {
    const first = await stripe.paymentIntents.create(PAY, KEY);
    given.simulator.advanceClock(23 * 3600);
    expect((await stripe.paymentIntents.create(PAY, KEY)).id).toBe(first.id);
    given.simulator.advanceClock(3600 + 1);
    expect((await stripe.paymentIntents.create(PAY, KEY)).id).not.toBe(first.id);
  });

  it('ignores keys on GET and DELETE', async () => {
    const { id } = await stripe.customers.create({});
    expect((await stripe.customers.retrieve(id, {}, KEY)).lastResponse.headers['idempotency-key']).toBeUndefined();
  });
});

describe('When a key is reused for something else', () => {
  it('refuses other parameters', async () => {
    await stripe.paymentIntents.create(PAY, KEY);
    const error = await errorOf(stripe.paymentIntents.create({ ...PAY, amount: 2001 }, KEY));
    expect(error).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
    expect(error.message).toContain("Try using a key other than 'a-key'");
  });

  it('refuses another endpoint', async () => {
    await stripe.paymentIntents.create(PAY, KEY);
    const error = await errorOf(stripe.customers.create({}, KEY));
    expect(error.message).toContain('can only be used for the same endpoint');
  });

  it('refuses a key above 255 characters', async () => {
    expect(await errorOf(stripe.customers.create({}, { idempotencyKey: 'k'.repeat(256) }))).toMatchObject({ statusCode: 400 });
  });
});
