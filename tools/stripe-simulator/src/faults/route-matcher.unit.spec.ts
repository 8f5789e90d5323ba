import { describe, expect, it } from '@jest/globals';
import { routeMatcher } from './route-matcher.js';

describe('A route', () => {
  it.each([
    [undefined, 'GET', '/v1/x', true],
    ['POST /v1/payment_intents', 'POST', '/v1/payment_intents', true],
    ['POST /v1/payment_intents', 'GET', '/v1/payment_intents', false],
    ['POST /v1/payment_intents', 'POST', '/v1/payment_intents/pi_1', false],
    ['POST /v1/payment_intents/:id/confirm', 'POST', '/v1/payment_intents/pi_1/confirm', true],
    ['POST /v1/payment_intents/{id}/confirm', 'POST', '/v1/payment_intents/pi_1/confirm', true],
    ['POST /v1/payment_intents/:id', 'POST', '/v1/payment_intents/pi_1/confirm', false],
    ['/v1/refunds', 'GET', '/v1/refunds', true],
    ['post', 'POST', '/v1/refunds', true],
    ['POST *', 'POST', '/v1/refunds', true],
    ['POST /v1/payment_intents*', 'POST', '/v1/payment_intents/pi_1/capture', true],
    ['GET /v1/a.b', 'GET', '/v1/aXb', false],
  ])('%s meets %s %s: %s', (route, method, path, meets) => {
    expect(routeMatcher(route)(method, path)).toBe(meets);
  });
});
