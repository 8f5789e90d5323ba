import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { covers, unionOf, type Window } from './windows.decide.js';

const window = fc.tuple(fc.nat(200), fc.nat(30)).map(([from, length]): Window => ({ from, to: from + length }));
const has = (windows: readonly Window[], second: number): boolean => windows.some(({ from, to }) => from <= second && second <= to);

describe('The union of windows', () => {
  it('joins what overlaps or touches and keeps the rest apart', () => {
    const windows = [
      { from: 50, to: 60 },
      { from: 1, to: 10 },
      { from: 11, to: 12 },
      { from: 5, to: 8 },
    ];
    expect(unionOf(windows)).toEqual([
      { from: 1, to: 12 },
      { from: 50, to: 60 },
    ]);
    expect(unionOf([])).toEqual([]);
  });

  it('has every second of each and no other, in windows that do not touch', () => {
    fc.assert(
      fc.property(fc.array(window, { maxLength: 12 }), (windows) => {
        const union = unionOf(windows);
        for (let second = 0; second <= 232; second += 1) expect(has(union, second)).toBe(has(windows, second));
        for (const one of windows) expect(covers(union, one)).toBe(true);
        for (const [i, one] of union.slice(1).entries()) expect(one.from).toBeGreaterThan((union[i]?.to ?? 0) + 1);
      }),
    );
  });
});
