import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, KEY, PAY, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterAll(() => given.end());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly error: Record<string, unknown>;
}

async function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const form = body === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded', body };
  const response = await fetch(`${given.simulator.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, 'Stripe-Version': '2026-10-28.endive', ...form, ...headers },
    ...(body !== undefined && { body }),
  });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, headers: response.headers, error };
}

/** Everything that the error carries, each attribute by name. */
const carries = ({ error }: Answer): string[] => Object.keys(error).sort();
const docs = (code: string): string => `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`;
const CODED = ['code', 'doc_url', 'message', 'type'];
const TYPE = 'invalid_request_error';

describe('What Stripe says', () => {
  it.each([
    [{ Authorization: '' }, undefined, 'You did not provide an API key. You need to provide your API key in the Authorization header, '],
    [{ Authorization: 'Bearer sk_test_nobodys0009' }, undefined, 'Invalid API Key provided: sk_test_'],
  ])('to the key %j is 401', async (headers: Record<string, string>, code, message) => {
    const answer = await call('GET', '/v1/customers', undefined, headers);
    expect([answer.status, answer.error['type'], answer.error['code']]).toEqual([401, TYPE, code]);
    expect(answer.error['message']).toContain(message);
    expect(carries(answer)).toEqual(['message', 'type']);
  });

  it('to an unknown URL is 404', async () => {
    const answer = await call('GET', '/v1/x');
    expect([answer.status, answer.error]).toEqual([404, { type: TYPE, message: 'Unrecognized request URL (GET: /v1/x).' }]);
  });

  it.each([
    ['in the path', 404, 'GET', '/v1/customers/cus_x', 'id'],
    ['in a parameter', 400, 'POST', '/v1/payment_intents', 'customer'],
    ['in a cursor', 400, 'GET', '/v1/customers?starting_after=cus_x', 'starting_after'],
  ])('to a missing object %s is %i', async (_, status, method, path, param) => {
    const answer = await call(method, path, method === 'POST' ? 'amount=100&currency=usd&customer=cus_x' : undefined);
    const body = { type: TYPE, code: 'resource_missing', doc_url: docs('resource_missing'), message: "No such customer: 'cus_x'", param };
    expect([answer.status, answer.error]).toEqual([status, body]);
  });

  it.each([
    ['parameter_unknown', 'shipping[x]', 'amount=100&currency=usd&shipping[x]=1', 'Received unknown parameter: shipping[x]'],
    ['parameter_missing', 'amount', 'currency=usd', 'Missing required param: amount.'],
    [undefined, 'expand', 'amount=100&currency=usd&expand[]=foo', 'This property cannot be expanded (foo).'],
  ])('to parameters is 400 %s', async (code, param, form, message) => {
    const answer = await call('POST', '/v1/payment_intents', form);
    expect([answer.status, answer.error]).toEqual([
      400,
      { type: TYPE, message, param, ...(code !== undefined && { code, doc_url: docs(code) }) },
    ]);
  });

  it('to an operation that the state forbids carries the whole intent', async () => {
    const { id } = await stripe.paymentIntents.create(PAY);
    const answer = await call('POST', `/v1/payment_intents/${id}/capture`, '');
    expect([answer.status, answer.error['type'], answer.error['code']]).toEqual([400, TYPE, 'payment_intent_unexpected_state']);
    expect(answer.error['payment_intent']).toMatchObject({ id, object: 'payment_intent', status: 'succeeded' });
    expect(carries(answer)).toEqual([...CODED, 'payment_intent'].sort());
  });

  it('to a decline is 402 without a param', async () => {
    const form = 'amount=100&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined&return_url=https://example.com';
    const answer = await call('POST', '/v1/payment_intents', form);
    expect([answer.status, answer.error['type'], answer.error['code'], answer.error['decline_code']]).toEqual([
      402,
      'card_error',
      'card_declined',
      'generic_decline',
    ]);
    expect(answer.error).not.toHaveProperty('param');
  });

  it('to a second full refund is 400 charge_already_refunded', async () => {
    const { id } = await stripe.paymentIntents.create(PAY);
    await stripe.refunds.create({ payment_intent: id });
    const answer = await call('POST', '/v1/refunds', `payment_intent=${id}`);
    expect([answer.status, answer.error['code'], answer.error['doc_url']]).toEqual([
      400,
      'charge_already_refunded',
      docs('charge_already_refunded'),
    ]);
  });

  it('to a confirmation that may redirect, without a return_url, is 400', async () => {
    const answer = await call('POST', '/v1/payment_intents', 'amount=100&currency=usd&confirm=true&payment_method=pm_card_visa');
    expect(answer.status).toBe(400);
    expect(answer.error['message']).toContain(
      'This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`.',
    );
  });

  it('to a reused key names the key or the two endpoints', async () => {
    const key = { 'Idempotency-Key': 'reused' };
    await call('POST', '/v1/customers', 'name=a', key);
    const parameters = await call('POST', '/v1/customers', 'name=b', key);
    expect([parameters.status, parameters.error]).toEqual([
      400,
      {
        type: 'idempotency_error',
        message:
          "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'reused' if you meant to execute a different request.",
      },
    ]);
    const endpoint = await call('POST', '/v1/refunds', 'name=a', key);
    expect([endpoint.status, endpoint.error['type']]).toEqual([400, 'idempotency_error']);
    expect(endpoint.error['message']).toContain(
      'Keys for idempotent requests can only be used for the same endpoint they were first used for',
    );
  });

  it.each([
    ['rate_limit', 429, 'rate_limit', 'Request rate limit exceeded.', 'global-rate'],
    ['lock_timeout', 429, 'lock_timeout', 'This object cannot be accessed right now', null],
    ['auth_expired', 401, 'api_key_expired', 'Expired API Key provided: sk_test_', null],
    ['key_in_use', 409, 'idempotency_key_in_use', 'There is currently another in-progress request using this Idempotent Key', null],
  ] as const)('when %s is %i %s', async (fault, status, code, message, reason) => {
    given.simulator.addFault({ fault });
    const answer = await call('POST', '/v1/customers', 'name=a', { 'Idempotency-Key': fault });
    expect([answer.status, answer.error['code'], answer.headers.get('stripe-rate-limited-reason')]).toEqual([status, code, reason]);
    expect(answer.error['message']).toContain(message);
    expect(carries(answer)).toEqual(CODED);
    expect(answer.headers.get('retry-after')).toBeNull();
  });
});
