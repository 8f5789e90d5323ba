import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, SECRET, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
beforeEach(() => given.simulator.reset());
afterAll(() => given.end());

describe('Expanding', () => {
  const FOUR = 'latest_charge.balance_transaction.source.payment_intent';

  it('goes four levels deep', async () => {
    const { id } = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic' });
    const intent = await stripe.paymentIntents.retrieve(id, { expand: [FOUR] });
    const charge = intent.latest_charge as Stripe.Charge;
    const source = (charge.balance_transaction as Stripe.BalanceTransaction).source as Stripe.Charge;
    expect((source.payment_intent as Stripe.PaymentIntent).id).toBe(id);
    const [listed] = (await stripe.paymentIntents.list({ expand: [`data.${FOUR}`] })).data;
    expect((listed!.latest_charge as Stripe.Charge).balance_transaction).toMatchObject({ source: { payment_intent: { id } } });
  });

  it.each([
    [`${FOUR}.customer`, `You cannot expand more than 4 levels of a property. Property: ${FOUR}.customer`],
    ['colour', 'This property cannot be expanded (colour).'],
    ['amount', 'This property cannot be expanded (amount).'],
    ['latest_charge.amount', 'This property cannot be expanded (latest_charge.amount).'],
  ])('refuses %s', async (path, message) => {
    const { id } = await stripe.paymentIntents.create(PAY);
    const error = await errorOf(stripe.paymentIntents.retrieve(id, { expand: [path] }));
    expect([error.statusCode, error.message]).toEqual([400, message]);
    expect((await errorOf(stripe.paymentIntents.list({ expand: [`data.${path}`] }))).statusCode).toBe(400);
  });
});

describe('Metadata', () => {
  const keys = (count: number): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, at) => [`key${at}`, 'v']));

  it('takes exactly 50 keys, 40 and 500 characters', async () => {
    const edge = { ...keys(49), ['k'.repeat(40)]: 'v'.repeat(500) };
    expect((await stripe.customers.create({ metadata: edge })).metadata).toEqual(edge);
  });

  it.each([
    ['51 keys', keys(51), 'metadata'],
    ['a key of 41 characters', { ['k'.repeat(41)]: 'v' }, `metadata[${'k'.repeat(41)}]`],
    ['a value of 501 characters', { k: 'v'.repeat(501) }, 'metadata[k]'],
  ])('refuses %s', async (_, metadata, param) => {
    expect(await errorOf(stripe.customers.create({ metadata }))).toMatchObject({ statusCode: 400, param });
  });

  it('merges per key, and counts what is there already', async () => {
    const { id } = await stripe.customers.create({ metadata: keys(50) });
    expect((await stripe.customers.update(id, { metadata: { key0: '', more: 'x' } })).metadata).toMatchObject({ more: 'x', key49: 'v' });
    expect(await errorOf(stripe.customers.update(id, { metadata: { evenMore: 'x' } }))).toMatchObject({
      statusCode: 400,
      param: 'metadata',
    });
    expect((await stripe.customers.update(id, { metadata: '' })).metadata).toEqual({});
  });
});

describe('Amounts', () => {
  /** docs.stripe.com/currencies: what may be charged at least, in minor units. */
  const MINIMUMS: Readonly<Record<string, number>> = {
    ...Object.fromEntries(['usd', 'eur', 'aud', 'cad', 'chf', 'nzd', 'sgd', 'inr', 'brl', 'jpy', 'krw'].map((code) => [code, 50])),
    ...{ gbp: 30, sek: 300, nok: 300, dkk: 250, hkd: 400, mxn: 1_000, aed: 200, pln: 200, ron: 200, myr: 200 },
    ...{ czk: 1_500, huf: 17_500, thb: 1_000 },
  };

  it.each(Object.entries(MINIMUMS))('in %s are at least %i', async (currency, minimum) => {
    expect((await stripe.paymentIntents.create({ amount: minimum, currency })).amount).toBe(minimum);
    expect(await errorOf(stripe.paymentIntents.create({ amount: minimum - 1, currency }))).toMatchObject({
      code: 'amount_too_small',
      param: 'amount',
    });
  });

  it('have at most twelve digits', async () => {
    expect((await stripe.paymentIntents.create({ amount: 999_999_999_999, currency: 'usd' })).amount).toBe(999_999_999_999);
    expect(await errorOf(stripe.paymentIntents.create({ amount: 1_000_000_000_000, currency: 'usd' }))).toMatchObject({
      code: 'amount_too_large',
    });
  });
});

describe('Time', () => {
  it('is virtual in objects and events, and real in signatures and HTTP dates', async () => {
    const YEAR = 365 * 86_400;
    given.simulator.advanceClock(YEAR);
    const startedSeconds = Math.floor(Date.now() / 1_000);
    const customer = await stripe.customers.create({});
    expect(customer.created).toBeGreaterThanOrEqual(startedSeconds + YEAR);
    const dated = Date.parse(String(customer.lastResponse.headers['date'])) / 1_000;
    const before = given.receiver.received.length;
    const delivered = await eventually(() =>
      given.receiver.received.find(({ event }) => (event.data.object as { id: string }).id === customer.id),
    );
    expect(delivered.event.created).toBeGreaterThanOrEqual(startedSeconds + YEAR);
    const signed = Number(/t=(\d+)/.exec(String(delivered.headers['stripe-signature']))?.[1]);
    for (const real of [dated, signed]) expect(Math.abs(real - startedSeconds)).toBeLessThan(60);
    stripe.webhooks.constructEvent(delivered.body, delivered.headers['stripe-signature'] as string, SECRET);
    expect(before).toBeLessThanOrEqual(given.receiver.received.length);
  });
});

describe('Headers', () => {
  const headersOf = async (call: Promise<{ lastResponse: { headers: Record<string, string> } }>): Promise<Record<string, string>> =>
    (await call).lastResponse.headers;

  it('of a first request name it, of a replay the first one', async () => {
    const key = { idempotencyKey: 'headers' };
    const first = await headersOf(stripe.customers.create({}, key));
    const again = await headersOf(stripe.customers.create({}, key));
    expect(first).toMatchObject({ 'idempotency-key': 'headers', 'original-request': first['request-id'], 'stripe-should-retry': 'false' });
    expect(first['idempotent-replayed']).toBeUndefined();
    expect(again).toMatchObject({ 'idempotency-key': 'headers', 'original-request': first['request-id'], 'idempotent-replayed': 'true' });
    expect(again['request-id']).not.toBe(first['request-id']);
  });

  it('are on errors too', async () => {
    const error = await errorOf(stripe.customers.retrieve('cus_nobody'));
    expect(error.requestId).toMatch(/^req_/);
    expect(error.headers).toMatchObject({ 'stripe-version': '2026-10-28.endive', 'content-type': 'application/json' });
  });

  it('never carry a notice, which the SDK would print', async () => {
    expect((await headersOf(stripe.customers.list()))['stripe-notice']).toBeUndefined();
  });
});
