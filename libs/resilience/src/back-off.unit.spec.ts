import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backOff, scheduled } from './back-off.js';

const schedule = [2000, 4000, 8000];

describe('Back-off', () => {
  it('stays within the upper half of the listed delay', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
        const listed = scheduled(schedule, attempt);
        const wait = backOff(schedule, attempt, random);
        return wait >= listed / 2 && wait <= listed;
      }),
    );
  });

  it('stays at the last delay', () => {
    expect(scheduled(schedule, 99)).toBe(8000);
  });

  it('needs a schedule', () => {
    expect(() => backOff([], 0, 0)).toThrow('Bug');
    expect(() => scheduled([], 0)).toThrow('Bug');
  });
});
