import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { containsCardNumber, withoutCardNumbers } from './card-number.js';

/** Built at run time, so that no card number stands in the repository. */
const prefixes = [
  { prefix: '4', length: 16 },
  { prefix: '4', length: 13 },
  { prefix: '51', length: 16 },
  { prefix: '2221', length: 16 },
  { prefix: '34', length: 15 },
  { prefix: '6011', length: 16 },
  { prefix: '3530', length: 16 },
  { prefix: '36', length: 14 },
  { prefix: '62', length: 19 },
];

function withCheckDigit(body: string): string {
  for (let digit = 0; digit < 10; digit += 1) if (luhn(`${body}${digit}`)) return `${body}${digit}`;
  throw new Error('unreachable');
}

function luhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, char, index) => {
    const value = Number(char) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

const cardNumber = fc
  .constantFrom(...prefixes)
  .chain(({ prefix, length }) =>
    fc
      .array(fc.integer({ min: 0, max: 9 }), { minLength: length - 1 - prefix.length, maxLength: length - 1 - prefix.length })
      .map((rest) => withCheckDigit(prefix + rest.join(''))),
  );

describe('When a text holds a card number', () => {
  it('finds it, plain or grouped, between words or beside an expiry date', () => {
    fc.assert(
      fc.property(
        cardNumber,
        fc.constantFrom('', ' ', '-', '.'),
        fc.constantFrom('', 'card ', 'no:', 'x'),
        fc.constantFrom('', ' 12/29', ' please', '!'),
        (pan, separator, before, after) => {
          const grouped = (pan.match(/.{1,4}/g) ?? []).join(separator);
          expect(containsCardNumber(`${before}${grouped}${after}`)).toBe(true);
        },
      ),
    );
  });

  it('removes it and keeps the words around', () => {
    fc.assert(
      fc.property(cardNumber, (pan) => {
        expect(withoutCardNumbers(`before ${pan} after`)).toBe('before [card number] after');
      }),
    );
  });

  it('finds it in full-width digits', () => {
    const pan = withCheckDigit(`4${'1'.repeat(14)}`);
    const wide = [...pan].map((digit) => String.fromCharCode(0xff10 + Number(digit))).join('');
    expect(containsCardNumber(wide)).toBe(true);
  });
});

describe('When a text holds no card number', () => {
  it.each([
    ['a wrong check digit', () => String(BigInt(withCheckDigit(`4${'2'.repeat(14)}`)) + 1n)],
    ['an unknown network', () => withCheckDigit(`9${'1'.repeat(14)}`)],
    ['a length that the network does not have', () => withCheckDigit(`4${'1'.repeat(13)}`)],
    ['a number inside a longer run of digits', () => `1${withCheckDigit(`4${'1'.repeat(14)}`)}1`],
    ['one of our ids', () => `pay_${withCheckDigit(`4${'1'.repeat(14)}`)}`],
    ['a time in milliseconds', () => '1795240800000'],
    ['a phone number', () => '+49 30 1234567'],
  ])('stays quiet about %s', (_what, text) => {
    expect(containsCardNumber(text())).toBe(false);
  });

  it('stays quiet about UUIDs and hashes', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 64, maxLength: 64 }), (uuid, hash) => {
        expect(containsCardNumber(uuid)).toBe(false);
        expect(containsCardNumber(hash.join(''))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
