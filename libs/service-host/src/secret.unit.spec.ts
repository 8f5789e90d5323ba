import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Secret } from './secret.js';
import { commaSeparated, secret } from './settings.js';

const plain = secret(z.string().regex(/^key_/, 'must begin with key_'), {
  doc: 'A key.',
  fixed: { what: 'the mode of the key', of: (key) => key.slice(0, 8) },
});

describe('A secret setting', () => {
  it('is its fingerprint wherever it is printed', () => {
    const key = plain.parse('key_test_hunter2');
    for (const text of [String(key), JSON.stringify({ key }), inspect({ key }), `${key}`]) {
      expect(text).toContain(key.fingerprint);
      expect(text).not.toContain('hunter2');
    }
    expect(key.fingerprint).toMatch(/^sha256:[0-9a-f]{8}$/);
  });

  it('takes up another value, read as the setting says', () => {
    const list = secret(commaSeparated(), { doc: 'Keys.' }).parse('a');
    expect(list).toBeInstanceOf(Secret);
    const before = list.fingerprint;
    expect(list.replace('b, c')).toEqual({ changed: true });
    expect(list.value).toEqual(['b', 'c']);
    expect(list.fingerprint).not.toBe(before);
    expect(list.replace('b, c')).toEqual({ changed: false });
  });

  it('refuses what is wrong, and a change of what is fixed, without quoting it', () => {
    const key = plain.parse('key_test_1');
    expect(key.replace('hunter2')).toEqual({ faults: ['must begin with key_'] });
    expect(key.replace('key_live_1')).toEqual({ faults: ['the mode of the key changes, which needs a restart'] });
    expect(key.value).toBe('key_test_1');
    expect(plain.safeParse('hunter2').error?.issues[0]?.message).toBe('must begin with key_');
  });
});
