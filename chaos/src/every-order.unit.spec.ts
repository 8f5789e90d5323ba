import { describe, expect, it } from '@jest/globals';
import { everyOrder } from './every-order.js';

describe('Every order', () => {
  it('of a fold that does not mind has one end', () => {
    expect(everyOrder<number, number>(0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (sum, n) => sum + n, String)).toEqual([55]);
  });

  it('of one that does has as many as there are', () => {
    const ends = everyOrder(
      '',
      ['a', 'b', 'c'],
      (word, letter) => word + letter,
      (word) => word,
    );
    expect(ends.sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  });

  it('of nothing is where it began', () => {
    expect(
      everyOrder(
        'x',
        [],
        (word) => word,
        (word) => word,
      ),
    ).toEqual(['x']);
  });
});
