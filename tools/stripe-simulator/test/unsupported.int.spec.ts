import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { isMissingHere } from '../src/http/unrecognized.js';
import { type Given, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterAll(() => given.end());

describe('What Stripe has and the simulator has not', () => {
  it('is refused by its name', async () => {
    const answers = [
      errorOf(stripe.charges.create({ amount: 100, currency: 'usd', source: 'tok_visa' })),
      errorOf(stripe.paymentIntents.incrementAuthorization('pi_x', { amount: 100 })),
      errorOf(stripe.customers.search({ query: 'email:"a"' })),
      errorOf(stripe.topups.create({ amount: 100, currency: 'usd' })),
    ];
    for (const answer of answers) {
      expect(await answer).toMatchObject({
        statusCode: 404,
        message: expect.stringMatching(/^This simulator does not support .* \(Stripe does\)\.$/),
      });
    }
  });

  it('is told apart from what nobody has, and from what is supported', () => {
    expect(isMissingHere('GET', '/v1/unicorns')).toBe(false);
    expect(isMissingHere('GET', '/v1/payment_intents')).toBe(false);
    expect(isMissingHere('POST', '/v1/payment_intents/pi_x/increment_authorization')).toBe(true);
  });
});
