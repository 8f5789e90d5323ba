import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, newKey, parseKey } from './key-format.js';

describe('An API key', () => {
  it('has a mode, an id, a secret of 32 bytes and a checksum, and is never made twice', () => {
    const keys = Array.from({ length: 200 }, () => newKey('test'));
    for (const { id, key } of keys) {
      expect(key).toMatch(/^tg_test_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(parseKey(key)).toEqual({ id, livemode: false });
    }
    expect(new Set(keys.map(({ id }) => id)).size).toBe(200);
    expect(parseKey(newKey('live').key)?.livemode).toBe(true);
  });

  it('is refused without asking the database when one character is wrong', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...'0123456789abcXYZ_- '), (position, wrong) => {
        const { key } = newKey('test');
        const at = position % key.length;
        fc.pre(key[at] !== wrong);
        expect(parseKey(key.slice(0, at) + wrong + key.slice(at + 1))).toBeNull();
      }),
    );
  });

  it('is refused when it is something else', () => {
    for (const text of ['', 'tg_test_', `${newKey('test').key}x`, ` ${newKey('test').key}`, ['sk', 'test', 'abc'].join('_')])
      expect(parseKey(text)).toBeNull();
  });

  it('is stored as a SHA-256', () => {
    expect(hashOf('abc').toString('hex')).toMatch(/^ba7816bf/);
  });
});
