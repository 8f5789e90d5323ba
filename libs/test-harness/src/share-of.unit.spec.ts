import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shareOf } from './share-of.js';

describe('The shares of a list', () => {
  it('are the list again, and none is longer than another by more than one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 20 }), (all, parts) => {
        const shares = Array.from({ length: parts }, (_, index) => shareOf(all, index, parts));
        expect(shares.flat()).toEqual(all);
        const lengths = shares.map(({ length }) => length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
