import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate } from './allocate.js';

const cases = fc.tuple(
  fc.bigInt({ min: 0n, max: 10n ** 12n }),
  fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 }),
);

describe('Allocation', () => {
  it('gives the left-over cent to the largest remainder, the earlier one on a tie', () => {
    expect(allocate(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
    expect(allocate(10n, [3n, 7n, 0n])).toEqual([3n, 7n, 0n]);
    expect(allocate(5n, [0n, 0n])).toEqual([3n, 2n]);
  });

  it('loses and invents nothing', () => {
    fc.assert(fc.property(cases, ([total, weights]) => allocate(total, weights).reduce((a, b) => a + b, 0n) === total));
  });

  it('stays within one unit of the exact share', () => {
    fc.assert(
      fc.property(cases, ([total, weights]) => {
        const sum = weights.reduce((a, b) => a + b, 0n);
        fc.pre(sum > 0n);
        return allocate(total, weights).every((part, i) => {
          const off = part * sum - total * (weights[i] ?? 0n);
          return off < sum && off > -sum;
        });
      }),
    );
  });

  it('refuses nonsense', () => {
    expect(() => allocate(1n, [])).toThrow('Bug');
    expect(() => allocate(-1n, [1n])).toThrow('Bug');
    expect(() => allocate(1n, [-1n])).toThrow('Bug');
  });
});
