import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StripeError } from './errors.js';
import { decodeForm } from './form.js';

const plain = (text: string): unknown => JSON.parse(JSON.stringify(decodeForm(text)));

describe('When a form is decoded', () => {
  it.each([
    ['', {}],
    ['a=1&b=', { a: '1', b: '' }],
    ['a', { a: '' }],
    ['a=1&&a=2', { a: '2' }],
    ['a=1+2%2B3', { a: '1 2+3' }],
    ['m[k]=v&m[l]=w', { m: { k: 'v', l: 'w' } }],
    ['m%5Bk%5D=v', { m: { k: 'v' } }],
    ['e[]=x&e[]=y', { e: { 0: 'x', 1: 'y' } }],
    ['e[0]=x&e[1][a]=y', { e: { 0: 'x', 1: { a: 'y' } } }],
    ['a=x=y', { a: 'x=y' }],
  ])('%s becomes %j', (text, form) => {
    expect(plain(text)).toEqual(form);
  });

  it.each([
    'a[=1',
    'a[b]c=1',
    'a=1&a[b]=2',
    'a[b]=1&a=2',
    'a=%zz',
    `a${'[b]'.repeat(20)}=1`,
    Array.from({ length: 5_001 }, () => 'a=1').join('&'),
  ])('refuses %.40s', (text) => {
    expect(() => decodeForm(text)).toThrow(StripeError);
  });

  it('never reaches a prototype', () => {
    decodeForm('__proto__[polluted]=1&constructor[prototype][polluted]=1');
    expect({}).not.toHaveProperty('polluted');
    expect(Object.keys(decodeForm('__proto__[polluted]=1'))).toEqual(['__proto__']);
  });

  it('gives back every flat map that was encoded', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: 'grapheme' })), (map) => {
        const pairs = Object.entries(map).map(([key, value]) => `m[${key}]=${encodeURIComponent(value)}`);
        expect(plain(pairs.join('&'))).toEqual(pairs.length === 0 ? {} : { m: { ...map } });
      }),
    );
  });
});
