import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
const ids: string[] = [];
let startSeconds = 0;

beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
  startSeconds = given.simulator.world.clock.nowSeconds();
  for (let i = 0; i < 12; i += 1) {
    ids.unshift((await stripe.paymentIntents.create({ amount: 100 + i, currency: 'usd' })).id);
    given.simulator.advanceClock(10);
  }
});
afterAll(() => given.end());

const idsOf = (list: Stripe.ApiList<{ id: string }>): string[] => list.data.map(({ id }) => id);

describe('A list', () => {
  it('is newest first, ten by default, and says that there is more', async () => {
    const list = await stripe.paymentIntents.list();
    expect(idsOf(list)).toEqual(ids.slice(0, 10));
    expect(list).toMatchObject({ object: 'list', has_more: true, url: '/v1/payment_intents' });
  });

  it('continues after a cursor and ends', async () => {
    const list = await stripe.paymentIntents.list({ limit: 5, starting_after: ids[8]! });
    expect(idsOf(list)).toEqual(ids.slice(9));
    expect(list.has_more).toBe(false);
  });

  it('walks towards newer ones before a cursor, next to it first', async () => {
    expect(idsOf(await stripe.paymentIntents.list({ limit: 3, ending_before: ids[8]! }))).toEqual(ids.slice(5, 8));
  });

  it('is walked completely by the SDK', async () => {
    expect(await stripe.paymentIntents.list({ limit: 5 }).autoPagingToArray({ limit: 100 })).toHaveLength(12);
  });

  it('filters by creation time', async () => {
    const from = startSeconds + 50;
    const recent = await stripe.paymentIntents.list({ created: { gte: from }, limit: 100 });
    expect(recent.data.every(({ created }) => created >= from)).toBe(true);
    const older = await stripe.paymentIntents.list({ created: { lt: from }, limit: 100 });
    expect(recent.data.length + older.data.length).toBe(12);
    expect(idsOf(await stripe.paymentIntents.list({ created: recent.data[0]!.created }))).toEqual([recent.data[0]!.id]);
  });

  it.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: 101 }, 'limit'],
    [{ starting_after: 'pi_none' }, 'starting_after'],
    [{ expand: ['data.amount'] }, 'expand'],
    [{ expand: ['latest_charge'] }, 'expand'],
  ])('refuses %j', async (params, param) => {
    expect(await errorOf(stripe.paymentIntents.list(params))).toMatchObject({ statusCode: 400, param });
  });
});

describe('expand', () => {
  it('replaces ids by objects four levels deep, in lists too', async () => {
    const customer = await stripe.customers.create({ email: 'a@example.com' });
    const intent = await stripe.paymentIntents.create({ ...PAY, customer: customer.id, capture_method: 'automatic' });
    const refund = await stripe.refunds.create({
      payment_intent: intent.id,
      expand: ['charge.payment_intent.customer', 'charge.balance_transaction'],
    });
    expect(refund.charge).toMatchObject({
      payment_intent: { id: intent.id, customer: { email: 'a@example.com' } },
      balance_transaction: { type: 'charge' },
    });
    const list = await stripe.balanceTransactions.list({ limit: 1, expand: ['data.source.charge.refunds'] });
    expect(list.data[0]!.source).toMatchObject({ id: refund.id, charge: { refunds: { data: [{ id: refund.id }] } } });
  });

  it.each([['foo'], ['latest_charge.foo'], ['amount'], ['latest_charge.payment_intent.customer.invoice_settings.default_payment_method']])(
    'refuses %s',
    async (path) => {
      expect(await errorOf(stripe.paymentIntents.retrieve(ids[0]!, { expand: [path] }))).toMatchObject({
        statusCode: 400,
        param: 'expand',
      });
    },
  );
});
