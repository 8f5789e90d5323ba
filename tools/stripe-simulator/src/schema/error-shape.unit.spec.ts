import { describe, expect, it } from '@jest/globals';
import { errorFaults } from './error-shape.js';

const error = { type: 'invalid_request_error', code: 'parameter_missing', message: 'Missing required param: amount.', param: 'amount' };

describe('The comparison of an error answer with the API description', () => {
  it('accepts an error with all that it may have', () => {
    expect(errorFaults({ error: { ...error, doc_url: 'https://stripe.com/docs', request_log_url: 'https://dashboard' } })).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['an answer without an error', {}, 'error answer.error: missing'],
    ['no object', { error: 'broken' }, 'error: not an object'],
    ['a type that does not exist', { error: { ...error, type: 'odd' } }, 'error.type: must be one of'],
    ['a code that does not exist', { error: { ...error, code: 'odd' } }, 'error.code: must be one of'],
    ['an error without words', { error: { type: 'api_error' } }, 'error.message: missing'],
    ['a field that does not exist', { error: { ...error, colour: 'red' } }, 'error.colour: not in the description'],
    ['a null', { error: { ...error, param: null } }, 'error.param: must not be null'],
    ['an object inside that is not whole', { error: { ...error, payment_intent: { id: 'pi_1' } } }, 'error.payment_intent.amount: missing'],
    ['something beside the error', { error, more: 1 }, 'error answer.more: not in the description'],
  ])('finds %s', (_, value, fault) => {
    expect(errorFaults(value)).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
  });
});
