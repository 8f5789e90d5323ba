import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hidesCardNumber } from './hidden-card-number.js';

/** Built at run time, so that no card number stands in the repository. */
const PAN = '4242'.repeat(4);
const GROUPS = PAN.match(/.{4}/g) ?? [];
const each = (write: (digit: string) => string) => [...PAN].map(write).join('');
const codeOf = (digit: string) => digit.charCodeAt(0);

const HIDDEN: Record<string, string> = {
  plain: PAN,
  'grouped by tabs': GROUPS.join('\t'),
  'on several lines': GROUPS.join('\n'),
  'grouped by underscores': GROUPS.join('_'),
  'grouped by long dashes': GROUPS.join('\u2014'),
  'grouped by several blanks': GROUPS.join('    '),
  'split by zero-width spaces': each((digit) => `${digit}\u200b`),
  'split by soft hyphens': GROUPS.join('\u00ad'),
  'in full-width digits': each((digit) => String.fromCharCode(0xff10 + Number(digit))),
  'in Arabic-Indic digits': each((digit) => String.fromCharCode(0x0660 + Number(digit))),
  'in Devanagari digits': each((digit) => String.fromCharCode(0x0966 + Number(digit))),
  'in bold mathematical digits': each((digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
  'percent-encoded': each((digit) => `%${codeOf(digit).toString(16)}`),
  'with percent-encoded blanks': GROUPS.join('%20'),
  'percent-encoded twice': each((digit) => `%25${codeOf(digit).toString(16)}`),
  'in HTML entities': each((digit) => `&#${codeOf(digit)};`),
  'in hexadecimal HTML entities': each((digit) => `&#x${codeOf(digit).toString(16)};`),
  'in JSON escapes': each((digit) => `\\u00${codeOf(digit).toString(16)}`),
  'in base64': Buffer.from(PAN).toString('base64'),
  'in base64url': Buffer.from(GROUPS.join('-')).toString('base64url'),
  'in base64 with words around': Buffer.from(`card ${PAN} 12/29`).toString('base64'),
  'in hexadecimal': Buffer.from(PAN).toString('hex'),
};

describe('A card number', () => {
  it.each(Object.entries(HIDDEN))('is found %s', (_how, text) => {
    expect(hidesCardNumber(text)).toBe(true);
    expect(hidesCardNumber(`note: ${text} ok`)).toBe(true);
  });

  it('with a wrong check digit is none, plain or encoded', () => {
    const wrong = `${PAN.slice(0, -1)}3`;
    for (const text of [wrong, Buffer.from(wrong).toString('base64'), Buffer.from(wrong).toString('hex'), wrong.split('').join('\u200b')])
      expect(hidesCardNumber(text)).toBe(false);
  });
});

describe('Any other text', () => {
  it('stays what it is: UUIDs, hashes, tokens, our ids and ordinary words', () => {
    const token = fc.uint8Array({ minLength: 16, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), token), (text) => expect(hidesCardNumber(text)).toBe(false)),
      { numRuns: 2000 },
    );
    const digits = [...'0123456789'].map((last) => `${PAN}05${last}`).find(hidesCardNumber) ?? '';
    for (const text of [
      // Its digits without the dashes are those of a card, as some UUID's in a thousand are.
      `00000000-1ffa-${digits.slice(0, 4)}-${digits.slice(4, 8)}-${digits.slice(8, 19)}a`,
      'pay_4f1c2b7a9d3e5f60',
      '2026-11-21T06:00:00.000Z',
      'Order 20261121-0042 for 3 items',
      'https://shop.example/back?a=%20b',
    ])
      expect(hidesCardNumber(text)).toBe(false);
  });
});

describe('A long text of the shortest groups', () => {
  const LENGTH = 64 * 1024;
  const leastOf = (work: () => unknown): number => {
    let least = Infinity;
    for (let round = 0; round < 5; round += 1) {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return least;
  };

  it.each([['4.'], ['4 '], ['4-'], ['4_'], ['4\u00a0'], ['\u0664.']])(
    'of %j costs little more than what it takes to look at each group, however many windows of them could be a number',
    (unit) => {
      const text = unit.repeat(LENGTH / unit.length);
      const looked = leastOf(() => [...text.matchAll(/\p{Nd}+/gu)].map(({ index }) => index));
      expect(leastOf(() => hidesCardNumber(text))).toBeLessThan(12 * Math.max(looked, 4000));
    },
  );
});
