import { describe, expect, it } from '@jest/globals';
import { classifyError } from './classify-error.js';

const sdk = (fields: object): unknown => Object.assign(new Error('said Stripe'), fields);
const api = { type: 'StripeAPIError' };
const invalid = { type: 'StripeInvalidRequestError', rawType: 'invalid_request_error' };

describe('An error of the SDK', () => {
  it.each([
    [
      'a deadline',
      sdk({ type: 'StripeConnectionError', detail: { code: 'ETIMEDOUT' } }),
      { kind: 'unknown', cause: 'timeout', stored: false },
    ],
    [
      'a lost connection',
      sdk({ type: 'StripeConnectionError', detail: { code: 'TIDEGATE_CONNECTION_LOST' } }),
      { kind: 'unknown', cause: 'connection', stored: false },
    ],
    [
      'a refused connection',
      sdk({ type: 'StripeConnectionError', detail: { code: 'ECONNREFUSED' } }),
      { kind: 'unknown', cause: 'connection', stored: false },
    ],
    ['a body that is no JSON', sdk({ ...api }), { kind: 'unknown', cause: 'bad_body', stored: false }],
    ['500', sdk({ ...api, statusCode: 500, rawType: 'api_error' }), { kind: 'unknown', cause: 'server_error', stored: true }],
    ['503', sdk({ ...api, statusCode: 503 }), { kind: 'unknown', cause: 'server_error', stored: false }],
    [
      '503 replayed',
      sdk({ ...api, statusCode: 503, headers: { 'idempotent-replayed': 'true' } }),
      { kind: 'unknown', cause: 'server_error', stored: true },
    ],
    [
      'other parameters under our key',
      sdk({ type: 'StripeIdempotencyError', rawType: 'idempotency_error', statusCode: 400 }),
      { kind: 'unknown', cause: 'key_conflict', stored: true },
    ],
    ['a key in use', sdk({ ...api, statusCode: 409, code: 'idempotency_key_in_use' }), { kind: 'in_use' }],
    ['another 409', sdk({ ...api, statusCode: 409 }), { kind: 'in_use' }],
    [
      '429',
      sdk({ type: 'StripeRateLimitError', statusCode: 429, headers: { 'stripe-rate-limited-reason': 'endpoint-rate' } }),
      { kind: 'limited', reason: 'endpoint-rate' },
    ],
    ['400 rate_limit', sdk({ ...invalid, statusCode: 400, code: 'rate_limit' }), { kind: 'limited', reason: 'rate_limit' }],
    [
      '429 lock_timeout',
      sdk({ type: 'StripeRateLimitError', statusCode: 429, code: 'lock_timeout' }),
      { kind: 'limited', reason: 'lock_timeout' },
    ],
    ['401', sdk({ type: 'StripeAuthenticationError', statusCode: 401 }), { kind: 'auth' }],
    ['403', sdk({ type: 'StripePermissionError', statusCode: 403 }), { kind: 'auth' }],
    [
      '402',
      sdk({ type: 'StripeCardError', statusCode: 402, code: 'card_declined', decline_code: 'lost_card' }),
      { kind: 'declined', code: 'card_declined', declineCode: 'lost_card' },
    ],
    ['404', sdk({ ...invalid, statusCode: 404, code: 'resource_missing', param: 'id' }), { kind: 'not_found', param: 'id' }],
    [
      '400',
      sdk({ ...invalid, statusCode: 400, code: 'parameter_unknown', param: 'x' }),
      { kind: 'rejected', status: 400, code: 'parameter_unknown', param: 'x' },
    ],
    ['something else', 'a string', { kind: 'unknown', cause: 'bad_body', stored: false }],
    ['nothing', undefined, { kind: 'unknown', cause: 'bad_body', stored: false }],
  ])('%s', (_, thrown, expected) => {
    expect(classifyError(thrown)).toMatchObject(expected);
  });

  it('carries the intent that Stripe sent along', () => {
    const payment_intent = { id: 'pi_1', status: 'succeeded', amount: 1, metadata: {} };
    expect(classifyError(sdk({ ...invalid, statusCode: 400, code: 'payment_intent_unexpected_state', payment_intent }))).toMatchObject({
      kind: 'rejected',
      intent: { id: 'pi_1', status: 'succeeded' },
    });
  });
});
