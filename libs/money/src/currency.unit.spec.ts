import { describe, expect, it } from '@jest/globals';
import { currencies, currencyOf } from './currency.js';

describe('The currency table', () => {
  it.each([
    ['usd', 2, 1n, 50n],
    ['jpy', 0, 1n, 50n],
    ['kwd', 3, 10n, 1n],
    ['isk', 2, 100n, 1n],
    ['gbp', 2, 1n, 30n],
  ])('knows %s', (code, exponent, step, minimum) => {
    expect(currencyOf(code)).toMatchObject({ code, exponent, step, minimum, maximum: 999_999_999_999n });
  });

  it.each(['xyz', 'USD', '', '__proto__', 'constructor'])('does not know %j', (code) => {
    expect(currencyOf(code)).toBeNull();
  });

  it('has minimums that can be charged', () => {
    for (const currency of currencies())
      expect({ code: currency.code, rest: currency.minimum === 1n ? 0n : currency.minimum % currency.step }).toEqual({
        code: currency.code,
        rest: 0n,
      });
  });
});
