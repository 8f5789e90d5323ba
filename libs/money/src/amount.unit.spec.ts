import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chargeFault, formatAmount, minorUnits, partFault, toJsonNumber } from './amount.js';
import { currencies } from './currency.js';

describe('An amount to charge', () => {
  it.each([
    [50n, 'usd', null],
    [49n, 'usd', { fault: 'too_small', minimum: 50n }],
    [0n, 'usd', { fault: 'too_small', minimum: 50n }],
    [-1n, 'bhd', { fault: 'too_small', minimum: 1n }],
    [1_000_000_000_000n, 'usd', { fault: 'too_large', maximum: 999_999_999_999n }],
    [1001n, 'kwd', { fault: 'not_divisible', step: 10n }],
    [1050n, 'ugx', { fault: 'not_divisible', step: 100n }],
    [100n, 'xyz', { fault: 'currency_unsupported', currency: 'xyz' }],
  ])('%s %s gives %j', (amount, currency, expected) => {
    expect(chargeFault(amount, currency)).toEqual(expected);
  });

  it('is refused for a reason or lies within the limits of its currency', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), fc.constantFrom(...currencies()), (amount, currency) => {
        const allowed = amount >= currency.minimum && amount <= currency.maximum && amount % currency.step === 0n;
        return (chargeFault(amount, currency.code) === null) === allowed;
      }),
    );
  });
});

describe('A part of a charge', () => {
  it('may be below the minimum but not below one step', () => {
    expect(partFault(1n, 'usd')).toBeNull();
    expect(partFault(0n, 'usd')).toEqual({ fault: 'too_small', minimum: 1n });
    expect(partFault(5n, 'kwd')).toEqual({ fault: 'not_divisible', step: 10n });
  });
});

describe('Minor units', () => {
  it('survive the way through JSON', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => toJsonNumber(minorUnits(value)) === value));
  });

  it.each([1.5, Number.NaN, 2 ** 53])('are never %s', (value) => {
    expect(() => minorUnits(value)).toThrow('Bug');
  });

  it('beyond 2^53 do not become JSON', () => {
    expect(() => toJsonNumber(2n ** 60n)).toThrow('Bug');
  });
});

describe('Formatting', () => {
  it.each([
    [4200n, 'usd', '42.00 USD'],
    [5n, 'usd', '0.05 USD'],
    [-5n, 'usd', '-0.05 USD'],
    [4200n, 'jpy', '4200 JPY'],
    [4200n, 'kwd', '4.200 KWD'],
  ])('%s %s is %s', (amount, currency, text) => {
    expect(formatAmount(amount, currency)).toBe(text);
  });
});
