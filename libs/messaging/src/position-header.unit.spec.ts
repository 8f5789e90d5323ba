import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatPlace, parsePlace } from './position-header.js';

describe('When a place travels in a header', () => {
  it('comes back as it was', () => {
    const natural = fc.integer({ min: 1, max: 2 ** 31 });
    fc.assert(
      fc.property(natural, natural, (epoch, position) => expect(parsePlace(formatPlace({ epoch, position }))).toEqual({ epoch, position })),
    );
  });

  it.each([undefined, '', '1', '1:', ':1', '0:1', '1:0', '-1:2', '1:2:3', '1.5:2', '1e3:2', ' 1:2', '1:2\n'])('refuses %j', (text) => {
    expect(parsePlace(text)).toBeNull();
  });
});
