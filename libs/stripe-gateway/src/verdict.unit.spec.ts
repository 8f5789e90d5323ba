import { describe, expect, it } from '@jest/globals';
import { classifyError } from './classify-error.js';
import { type StripeOutcome } from './outcome.js';
import { OWN_LIMIT, verdictOf } from './verdict.js';

const SLOW_MS = 5_000;
const sdk = (type: string, fields: object = {}): StripeOutcome<never> =>
  classifyError(Object.assign(new Error('said Stripe'), { type, ...fields }));
const invalid = (statusCode: number, code?: string) =>
  sdk('StripeInvalidRequestError', { rawType: 'invalid_request_error', statusCode, code });
const limited = (reason?: string, code = 'rate_limit') =>
  sdk('StripeRateLimitError', { statusCode: 429, code, headers: reason === undefined ? {} : { 'stripe-rate-limited-reason': reason } });

const success = { counts: 'success' };
const failure = { counts: 'failure' };

describe('What a finished call teaches', () => {
  it.each<[string, StripeOutcome<unknown>, object]>([
    ['an answer', { kind: 'ok', value: null, requestId: null }, success],
    ['no connection', sdk('StripeConnectionError', { detail: { code: 'ECONNREFUSED' } }), failure],
    ['a name that does not resolve', sdk('StripeConnectionError', { detail: { code: 'ENOTFOUND' } }), failure],
    ['a connection lost before the headers', sdk('StripeConnectionError', { detail: { code: 'TIDEGATE_CONNECTION_LOST' } }), failure],
    ['a timeout', sdk('StripeConnectionError', { detail: { code: 'ETIMEDOUT' } }), failure],
    ['a body that was cut off', sdk('StripeConnectionError'), failure],
    ['500', sdk('StripeAPIError', { statusCode: 500 }), failure],
    ['503', sdk('StripeAPIError', { statusCode: 503 }), failure],
    ['502 with HTML, which the SDK gives no status', sdk('StripeAPIError'), failure],
    ['402, a decline', sdk('StripeCardError', { statusCode: 402, code: 'card_declined' }), success],
    ['400, a parameter', invalid(400, 'parameter_unknown'), success],
    ['400, a parameter missing', invalid(400, 'parameter_missing'), success],
    ['400, an object missing', invalid(400, 'resource_missing'), success],
    ['400, the wrong state', invalid(400, 'payment_intent_unexpected_state'), success],
    ['400, refunded twice', invalid(400, 'charge_already_refunded'), success],
    ['400, our key with other parameters', sdk('StripeIdempotencyError', { rawType: 'idempotency_error', statusCode: 400 }), success],
    ['404, an object', invalid(404, 'resource_missing'), success],
    ['404, a route', invalid(404), success],
    ['409, the key in use', sdk('StripeAPIError', { statusCode: 409, code: 'idempotency_key_in_use' }), success],
    ['409, another conflict', sdk('StripeAPIError', { statusCode: 409 }), success],
    ['429 of the account', limited('global-rate'), { counts: 'success', pressure: 'account' }],
    ['429 of the account, at once', limited('global-concurrency'), { counts: 'success', pressure: 'account_concurrency' }],
    ['429 of an endpoint', limited('endpoint-rate'), { counts: 'success', pressure: 'endpoint' }],
    ['429 of an endpoint, at once', limited('endpoint-concurrency'), { counts: 'success', pressure: 'endpoint' }],
    ['429 of one object', limited('resource-specific'), success],
    ['429 without a reason', limited(), { counts: 'success', pressure: 'account' }],
    ['429 with a reason that is new', limited('galaxy-rate'), { counts: 'success', pressure: 'account' }],
    ['429 with a reason named like an inherited property', limited('constructor'), { counts: 'success', pressure: 'account' }],
    ['400 rate_limit', invalid(400, 'rate_limit'), { counts: 'success', pressure: 'account' }],
    ['429 lock_timeout', limited(undefined, 'lock_timeout'), success],
    ['401, no or a wrong key', sdk('StripeAuthenticationError', { statusCode: 401 }), { counts: 'nothing', latch: 'key' }],
    [
      '401, an expired key',
      sdk('StripeAuthenticationError', { statusCode: 401, code: 'api_key_expired' }),
      { counts: 'nothing', latch: 'key' },
    ],
    ['403', sdk('StripePermissionError', { statusCode: 403 }), { counts: 'success', latch: 'operation' }],
    ['something that nobody knows', classifyError('a string'), failure],
    ['no call, by the breaker', { kind: 'refused', retryAfterMs: 1 }, { counts: 'nothing' }],
    ['no call, by our limiter', { kind: 'limited', reason: OWN_LIMIT, retryAfterMs: 1, message: '' }, { counts: 'nothing' }],
  ])('%s', (_, outcome, verdict) => {
    expect(verdictOf(outcome, 10, SLOW_MS)).toEqual(verdict);
  });

  it.each<[string, StripeOutcome<unknown>, 'success' | 'failure']>([
    ['an answer', { kind: 'ok', value: null, requestId: null }, 'failure'],
    ['a decline', sdk('StripeCardError', { statusCode: 402 }), 'failure'],
    ['a refusal', invalid(400), 'failure'],
    ['a limit', limited('global-rate'), 'success'],
    ['a lock', limited(undefined, 'lock_timeout'), 'success'],
    ['a key in use', sdk('StripeAPIError', { statusCode: 409 }), 'success'],
  ])('%s that took too long', (_, outcome, counts) => {
    expect(verdictOf(outcome, SLOW_MS, SLOW_MS).counts).toBe('success');
    expect(verdictOf(outcome, SLOW_MS + 1, SLOW_MS).counts).toBe(counts);
  });
});
