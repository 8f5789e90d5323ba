import { describe, expect, it } from '@jest/globals';
import { allowedTypes } from './allowed-types.js';

describe('The payment method types of an intent', () => {
  it('are those of its currency, and all for a setup', () => {
    expect(allowedTypes({}, { automatic: true, currency: 'eur' })).toEqual(['card', 'sepa_debit']);
    expect(allowedTypes({}, { automatic: true })).toEqual(['card', 'us_bank_account', 'sepa_debit']);
  });

  it('are cards without automatic payment methods, and what the caller chose', () => {
    expect(allowedTypes({}, { automatic: false, currency: 'eur' })).toEqual(['card']);
    expect(allowedTypes({ payment_method_types: ['klarna'] }, { automatic: false })).toEqual(['klarna']);
  });

  it('are one list for all intents that have the same', () => {
    expect(allowedTypes({}, { automatic: true, currency: 'usd' })).toBe(allowedTypes({}, { automatic: true, currency: 'usd' }));
  });
});
