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

const pay = (amount: number, metadata: Record<string, string> = {}): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({ ...PAY, amount, metadata });
const amounts = async (query: string): Promise<number[]> =>
  (await stripe.paymentIntents.search({ query })).data.map(({ amount }) => amount);

describe('A search', () => {
  it.each([
    ['status:"succeeded"', [300, 200, 100]],
    ["status:'canceled'", []],
    ['-status:"succeeded"', [400]],
    ['amount>100 AND amount<=300', [300, 200]],
    ['amount:100 OR amount:400', [400, 100]],
    ['metadata["order"]:"BOX-1"', [100]],
    ['metadata["order"]~"ox-"', [200, 100]],
    ['metadata["order"]:null', [400, 300]],
    ['-metadata["order"]:null AND currency:"usd"', [200, 100]],
    ['created>0 amount>=300', [400, 300]],
  ])('for %s finds %j', async (query, found) => {
    await pay(100, { order: 'box-1' });
    await pay(200, { order: 'box-2' });
    await pay(300);
    await stripe.paymentIntents.create({ amount: 400, currency: 'usd' });
    expect(await amounts(query)).toEqual(found);
  });

  it('goes on from page to page and expands', async () => {
    for (const amount of [100, 200, 300]) await pay(amount);
    const first = await stripe.paymentIntents.search({ query: 'amount>0', limit: 2, expand: ['data.latest_charge'] });
    expect(first).toMatchObject({ has_more: true, data: [{ latest_charge: { object: 'charge', amount: 300 } }, { amount: 200 }] });
    const second = await stripe.paymentIntents.search({ query: 'amount>0', limit: 2, page: first.next_page! });
    expect(second).toMatchObject({ has_more: false, next_page: null, data: [{ amount: 100 }] });
  });

  it('finds charges by what became of them', async () => {
    const { id } = await pay(100);
    await pay(200);
    await stripe.refunds.create({ payment_intent: id });
    const query = 'refunded:"true" AND payment_method_details.card.last4:4242';
    expect((await stripe.charges.search({ query })).data.map(({ amount }) => amount)).toEqual([100]);
  });

  it('does not see what is too new while lists lag', async () => {
    await pay(100);
    given.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/payment_intents/search', ms: 60_000 });
    expect(await amounts('amount>0')).toEqual([]);
    expect(await amounts('amount>0')).toEqual([100]);
  });

  it.each([
    ['', 'unable to parse'],
    ['status', 'unable to parse'],
    ['status:"a" AND', 'unable to parse'],
    ['status:"a" OR amount:1 AND amount:2', 'Mixing AND and OR'],
    ['colour:"red"', 'unsupported search field'],
    ['metadata:"x"', 'unsupported search field'],
    ['amount>"many"', 'whole number'],
    ['status>"a"', 'not supported for field'],
    ['status~"succ"', 'not supported for field'],
    ['metadata["a"]~"ab"', 'at least 3 characters'],
  ])('refuses %j', async (query, message) => {
    const error = await errorOf(stripe.paymentIntents.search({ query }));
    expect(error).toMatchObject({ statusCode: 400, param: 'query' });
    expect(error.message).toMatch(new RegExp(query === '' ? '' : message));
  });

  it('refuses a page that is none', async () => {
    expect(await errorOf(stripe.charges.search({ query: 'amount>0', page: 'x' }))).toMatchObject({ param: 'page' });
  });
});
