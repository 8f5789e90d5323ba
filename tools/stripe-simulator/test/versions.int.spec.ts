import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Given, PAY, errorOf, eventually, givenSimulator, sdk } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator();
});
afterAll(() => given.end());

const at = (apiVersion: string | undefined): ReturnType<typeof sdk> => sdk(given.simulator, { apiVersion: apiVersion as never });
const TYPES = { amount: 100, currency: 'usd', payment_method_types: ['card'] } as never;

describe('The API version of a request', () => {
  it.each(['2020-08-27', '2022-11-15', '2024-04-10', '2025-03-31.basil', '2026-08-26.dahlia'])(
    'takes payment_method_types at %s',
    async (version) => {
      const intent = await at(version).paymentIntents.create(TYPES);
      expect(intent.payment_method_types).toEqual(['card']);
      expect(intent.lastResponse.headers['stripe-version']).toBe(version);
      await at(version).paymentIntents.update(intent.id, { payment_method_types: ['card'] } as never);
    },
  );

  it.each(['2026-09-30.endive', '2026-10-28.endive'])('refuses payment_method_types at %s wherever they were writable', async (version) => {
    const stripe = at(version);
    const { id } = await stripe.paymentIntents.create({ amount: 100, currency: 'usd' });
    const types = { payment_method_types: ['card'] } as never;
    for (const refused of [
      stripe.paymentIntents.create(TYPES),
      stripe.paymentIntents.update(id, types),
      stripe.paymentIntents.confirm(id, types),
    ]) {
      expect(await errorOf(refused)).toMatchObject({
        statusCode: 400,
        code: 'payment_method_types_no_longer_supported',
        param: 'payment_method_types',
      });
    }
  });

  it('is the default of the account when none is sent, which is older than endive', async () => {
    const answer = await fetch(`${given.simulator.url}/v1/payment_intents`, {
      method: 'POST',
      headers: { Authorization: 'Bearer sk_test_givenkey0001', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'amount=100&currency=usd&payment_method_types[]=card',
    });
    expect([answer.status, answer.headers.get('stripe-version')]).toEqual([200, '2026-08-26.dahlia']);
  });

  it('decides how money is captured when nothing is said', async () => {
    const method = async (version: string): Promise<string> => (await at(version).paymentIntents.create(PAY)).capture_method;
    expect(await method('2023-10-16')).toBe('automatic');
    expect(await method('2024-04-10')).toBe('automatic_async');
  });

  it.each(['yesterday', '2026-10-29.endive', '2026-10-28', '2026-10-28.dahlia', '2027-01-01.fennel'])('must exist: %s', async (version) => {
    const error = await errorOf(at(version).customers.list());
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400 });
    expect(error.message).toBe(`Invalid Stripe API version: ${version}`);
  });
});

describe('Checkout in an older version', () => {
  const SESSION = {
    mode: 'payment',
    success_url: 'https://example.com/paid',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 2_000, product_data: { name: 'Book' } } }],
  };
  const create = (version: string, more: object): Promise<{ id: string; ui_mode: unknown }> =>
    at(version).checkout.sessions.create({ ...SESSION, ...more } as never);

  it('knows the pages by the names before dahlia, in requests and answers', async () => {
    const { id, ui_mode: mode } = await create('2026-02-25.clover', { ui_mode: 'hosted' });
    expect(mode).toBe('hosted');
    expect((await at('2026-02-25.clover').checkout.sessions.retrieve(id)).ui_mode).toBe('hosted');
    expect((await at('2026-02-25.clover').checkout.sessions.list()).data[0]!.ui_mode).toBe('hosted');
    expect((await at('2026-03-25.dahlia').checkout.sessions.retrieve(id)).ui_mode).toBe('hosted_page');
  });

  it('is told to an endpoint in the words of its version', async () => {
    const api_version = '2026-02-25.clover' as never;
    const types = ['checkout.session.expired' as const];
    await at('2026-10-28.endive').webhookEndpoints.create({ url: given.receiver.url, enabled_events: types, api_version });
    const { id } = await create('2026-10-28.endive', {});
    await at('2026-10-28.endive').checkout.sessions.expire(id);
    const told = await eventually(() => {
      const mine = given.receiver.received.filter(({ event }) => event.type === 'checkout.session.expired');
      return mine.length === 2 ? mine : undefined;
    });
    const words = told.map(({ event }) => [event.api_version, (event.data.object as { ui_mode: string }).ui_mode]).sort();
    expect(words).toEqual([
      ['2026-02-25.clover', 'hosted'],
      ['2026-10-28.endive', 'hosted_page'],
    ]);
  });

  it.each([
    ['2026-02-25.clover', 'hosted_page'],
    ['2026-03-25.dahlia', 'hosted'],
  ])('refuses at %s the name %s of the other side', async (version, mode) => {
    expect(await errorOf(create(version, { ui_mode: mode }))).toMatchObject({ statusCode: 400, param: 'ui_mode' });
  });

  it('takes payment_method_types before endive only', async () => {
    const types = { payment_method_types: ['card'] };
    expect((await create('2026-08-26.dahlia', types)).id).toMatch(/^cs_/);
    expect(await errorOf(create('2026-09-30.endive', types))).toMatchObject({ code: 'payment_method_types_no_longer_supported' });
  });
});

describe('A setup intent in an older version', () => {
  it('takes payment_method_types before endive only', async () => {
    const types = { payment_method_types: ['card'] } as never;
    expect((await at('2026-08-26.dahlia').setupIntents.create(types)).payment_method_types).toEqual(['card']);
    expect(await errorOf(at('2026-10-28.endive').setupIntents.create(types))).toMatchObject({
      code: 'payment_method_types_no_longer_supported',
      param: 'payment_method_types',
    });
  });
});
