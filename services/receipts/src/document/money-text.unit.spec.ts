import { describe, expect, it } from '@jest/globals';
import { moneyText } from './money-text.js';

const plain = (text: string) => text.replace(/[\u00A0\u202F]/g, ' ');

describe('When an amount is written out', () => {
  it.each([
    [4200, 'usd', 'en', '$42.00'],
    [5, 'usd', 'en', '$0.05'],
    [0, 'eur', 'en', '€0.00'],
    [4200, 'usd', 'en-GB', 'US$42.00'],
    [123456789, 'eur', 'de', '1.234.567,89 €'],
    [4200, 'jpy', 'en', '¥4,200'],
    [1, 'krw', 'en', '₩1'],
    [42000, 'kwd', 'en', 'KWD 42.000'],
    [1230, 'bhd', 'en', 'BHD 1.230'],
    [420000, 'isk', 'en', 'ISK 4,200'],
    [420000, 'ugx', 'en', 'UGX 4,200'],
    [4200, 'mga', 'en', 'MGA 4,200'],
    [999_999_999_999, 'usd', 'en', '$9,999,999,999.99'],
  ])('writes %i minor units of %s in %s as %s', (amount, currency, locale, text) => {
    expect(plain(moneyText(amount, currency, locale))).toBe(text);
  });

  it('writes a negative amount with a true minus sign', () => {
    expect(moneyText(-500, 'usd', 'en')).toBe('\u2212$5.00');
  });
});
