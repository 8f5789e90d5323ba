import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from './json-body.js';
import { ProblemError } from './problem-error.js';
import { refuseHarmfulValue } from './untrusted-value.js';

const card = ['4242', '4242', '4242', '4242'];

function codeOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

describe('A body with a card number', () => {
  it('is refused wherever the number is, in text, in a key or as a number', () => {
    const hidden = fc.constantFrom<unknown>(card.join(''), `see ${card.join(' ')}`, card.join('-'), Number(card.join('')), {
      [card.join('')]: 1,
    });
    const wrapped = fc
      .tuple(hidden, fc.array(fc.constantFrom('list', 'object'), { maxLength: 8 }))
      .map(([inner, layers]) => layers.reduce<unknown>((value, layer) => (layer === 'list' ? ['x', value] : { field: value }), inner));
    fc.assert(fc.property(wrapped, (value) => expect(codeOf(() => refuseHarmfulValue(value))).toBe('payments.card_data_refused')));
  });
});

describe('A body with what no field may hold', () => {
  it.each([
    ['__proto__', '{"metadata":{"__proto__":"x"}}'],
    ['constructor', '{"constructor":{}}'],
    ['a NUL', '{"a":"\\u0000"}'],
    ['half a character', '{"a":"\\udc00"}'],
    ['deep nesting', `${'['.repeat(50)}${']'.repeat(50)}`],
  ])('is not valid: %s', (_what, body) => {
    expect(codeOf(() => refuseHarmfulValue(parseJson(Buffer.from(body))))).toBe('validation.failed');
  });
});

describe('Any other JSON', () => {
  it('passes, and reading it never throws anything but a problem', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) =>
        expect([null, 'validation.failed', 'payments.card_data_refused']).toContain(
          codeOf(() => refuseHarmfulValue(parseJson(Buffer.from(text)))),
        ),
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) =>
        expect([null, 'body.malformed', 'validation.failed', 'payments.card_data_refused']).toContain(
          codeOf(() => refuseHarmfulValue(parseJson(Buffer.from(bytes)))),
        ),
      ),
    );
  });
});
