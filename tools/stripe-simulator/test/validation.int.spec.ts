import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Given, KEY, givenSimulator } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator();
});
afterAll(() => given.end());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly error: Record<string, unknown> } & Record<string, unknown>;
}

async function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await fetch(`${given.simulator.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : form), ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

const ENDIVE = { 'Stripe-Version': '2026-10-28.endive' };

describe('Authentication', () => {
  it.each([
    ['no key', {}, 'You did not provide an API key.'],
    ['a wrong key', { Authorization: 'Bearer sk_test_wrongwrong1234' }, 'Invalid API Key provided: sk_test_'],
    ['a live key', { Authorization: 'Bearer sk_live_wrongwrong1234' }, 'Invalid API Key provided: sk_live_'],
  ])('refuses %s with 401', async (_, headers: Record<string, string>, message) => {
    const { status, body } = await call('GET', '/v1/customers', undefined, { Authorization: '', ...headers });
    expect(status).toBe(401);
    expect(body.error).toMatchObject({ type: 'invalid_request_error', message: expect.stringContaining(message) });
    expect(JSON.stringify(body)).not.toContain('wrongwrong');
  });

  it('takes the key as the user name of Basic', async () => {
    const { status } = await call('GET', '/v1/account', undefined, { Authorization: `Basic ${Buffer.from(`${KEY}:`).toString('base64')}` });
    expect(status).toBe(200);
  });
});

describe('Decoding', () => {
  it.each([
    ['indexed, brackets encoded', 'expand%5B0%5D=latest_charge&metadata%5Ba%5D=1+2%263'],
    ['with [], brackets plain', 'expand[]=latest_charge&metadata[a]=1%202%263'],
  ])('takes arrays and maps %s', async (_, more) => {
    const { body } = await call('POST', '/v1/payment_intents', `amount=2000&currency=USD&${more}`);
    expect(body).toMatchObject({ metadata: { a: '1 2&3' }, currency: 'usd' });
  });

  it('refuses JSON', async () => {
    expect((await call('POST', '/v1/customers', '{}', { 'Content-Type': 'application/json' })).body.error['message']).toContain(
      'application/x-www-form-urlencoded',
    );
  });

  it('refuses a body above a megabyte', async () => {
    expect((await call('POST', '/v1/customers', `description=${'x'.repeat(1_000_001)}`)).status).toBe(400);
  });
});

describe('Parameters', () => {
  const pi = '/v1/payment_intents';
  it.each([
    ['unknown', pi, 'amount=100&currency=usd&colour=red', 'parameter_unknown', 'colour', 'Received unknown parameter: colour'],
    [
      'unknown and nested',
      pi,
      'amount=100&currency=usd&shipping[name]=a&shipping[x]=1',
      'parameter_unknown',
      'shipping[x]',
      'Received unknown parameter: shipping[x]',
    ],
    ['missing', pi, 'currency=usd', 'parameter_missing', 'amount', 'Missing required param: amount.'],
    [
      'missing and nested',
      pi,
      'amount=100&currency=usd&shipping[address][city]=G',
      'parameter_missing',
      'shipping[name]',
      'Missing required param: shipping[name].',
    ],
    ['fractional', pi, 'amount=10.5&currency=usd', 'parameter_invalid_integer', 'amount', 'Invalid integer: 10.5'],
    ['a map for a number', pi, 'amount[x]=10&currency=usd', 'parameter_invalid_integer', 'amount', 'Invalid integer'],
    [
      'emptied though it must be there',
      pi,
      'amount=&currency=usd',
      'parameter_invalid_empty',
      'amount',
      "You passed an empty string for 'amount'.",
    ],
    ['not a boolean', pi, 'amount=100&currency=usd&confirm=perhaps', undefined, 'confirm', 'Invalid boolean: perhaps'],
    [
      'outside its enum',
      pi,
      'amount=100&currency=usd&capture_method=later',
      undefined,
      'capture_method',
      'must be one of automatic, automatic_async, or manual',
    ],
    ['no currency', pi, 'amount=100&currency=xxx', undefined, 'currency', 'Invalid currency: xxx.'],
    ['zero', pi, 'amount=0&currency=usd', 'parameter_invalid_integer', 'amount', 'greater than or equal to 1'],
    ['negative', pi, 'amount=-5&currency=usd', 'parameter_invalid_integer', 'amount', 'greater than or equal to 1'],
    ['below the minimum', pi, 'amount=49&currency=usd', 'amount_too_small', 'amount', 'Amount must be at least 0.50 usd'],
    ['below a zero-decimal minimum', pi, 'amount=49&currency=jpy', 'amount_too_small', 'amount', 'Amount must be at least 50 jpy'],
    ['above the maximum', pi, 'amount=9999999999999&currency=usd', 'amount_too_large', 'amount', 'Amount must be no more than'],
    ['too fine for three decimals', pi, 'amount=5001&currency=kwd', 'parameter_invalid_integer', 'amount', 'divisible by 10'],
    ['too fine for whole units', pi, 'amount=5001&currency=isk', 'parameter_invalid_integer', 'amount', 'divisible by 100'],
    ['an unknown customer', pi, 'amount=100&currency=usd&customer=cus_x', 'resource_missing', 'customer', "No such customer: 'cus_x'"],
    [
      'an unknown method',
      pi,
      'amount=100&currency=usd&payment_method=pm_x',
      'resource_missing',
      'payment_method',
      "No such PaymentMethod: 'pm_x'",
    ],
    [
      'metadata with a long key',
      pi,
      `amount=100&currency=usd&metadata[${'k'.repeat(41)}]=1`,
      undefined,
      `metadata[${'k'.repeat(41)}]`,
      'Metadata keys',
    ],
    [
      'metadata with a long value',
      pi,
      `amount=100&currency=usd&metadata[k]=${'v'.repeat(501)}`,
      undefined,
      'metadata[k]',
      'Metadata values',
    ],
    [
      'too much metadata',
      pi,
      `amount=100&currency=usd&${Array.from({ length: 51 }, (_, i) => `metadata[k${i}]=1`).join('&')}`,
      undefined,
      'metadata',
      'at most 50 keys',
    ],
    ['broken percent-encoding', pi, 'amount=%zz', undefined, undefined, 'Invalid percent-encoding'],
    [
      'a prototype',
      pi,
      'amount=100&currency=usd&__proto__[x]=1',
      'parameter_unknown',
      '__proto__',
      'Received unknown parameter: __proto__',
    ],
    [
      'something of Stripe that is not simulated',
      pi,
      'amount=100&currency=usd&on_behalf_of=acct_1',
      undefined,
      'on_behalf_of',
      'does not support',
    ],
    [
      'payment_method_types from endive on',
      pi,
      'amount=100&currency=usd&payment_method_types[]=card',
      'payment_method_types_no_longer_supported',
      'payment_method_types',
      'no longer supported',
    ],
  ])('are refused when %s', async (_, path, form, code, param, message) => {
    const { status, body } = await call('POST', path, form, ENDIVE);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ type: 'invalid_request_error', message: expect.stringContaining(message) });
    expect([body.error['code'], body.error['param']]).toEqual([code, param]);
    expect(given.simulator.world.paymentIntents.all().every(({ amount }) => amount === 2000 || amount === 100)).toBe(true);
  });

  it('may be payment_method_types without a version, and are shown', async () => {
    const { body } = await call(
      'POST',
      pi,
      'amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card',
    );
    expect(body).toMatchObject({ status: 'succeeded', payment_method_types: ['card'], automatic_payment_methods: null });
  });
});

describe('Answers', () => {
  it('say what is not there', async () => {
    expect(await call('GET', '/v1/unicorns')).toMatchObject({
      status: 404,
      body: { error: { message: 'Unrecognized request URL (GET: /v1/unicorns).' } },
    });
    expect(await call('GET', '/v1/customers/cus_x')).toMatchObject({
      status: 404,
      body: { error: { code: 'resource_missing', param: 'id', message: "No such customer: 'cus_x'" } },
    });
    expect((await call('DELETE', '/v1/payment_intents')).status).toBe(404);
  });

  it('echo the version and the account and carry a request id', async () => {
    const { headers } = await call('GET', '/v1/account', undefined, { ...ENDIVE, 'Stripe-Account': 'acct_1' });
    expect(headers.get('stripe-version')).toBe('2026-10-28.endive');
    expect(headers.get('stripe-account')).toBe('acct_1');
    expect(headers.get('request-id')).toMatch(/^req_/);
    expect((await call('GET', '/v1/account', undefined, { 'Stripe-Version': 'yesterday' })).status).toBe(400);
  });
});
