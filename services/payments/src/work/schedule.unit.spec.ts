import { describe, expect, it } from '@jest/globals';
import { nextLookUp, nextRetry } from './schedule.js';

const NOW = new Date('2026-11-21T06:00:00.000Z');
const inSeconds = (at: Date): number => (at.getTime() - NOW.getTime()) / 1000;

describe('The schedule', () => {
  it.each([
    [0, 2],
    [1, 4],
    [2, 8],
    [3, 15],
    [4, 60],
    [5, 300],
    [50, 300],
  ])('tries again after %i attempts within %i s, and not before half of it', (attempts, seconds) => {
    expect(inSeconds(nextRetry(NOW, attempts, 0, 0))).toBe(seconds / 2);
    expect(inSeconds(nextRetry(NOW, attempts, 0, 0.999_999))).toBeCloseTo(seconds, 2);
  });

  it('tries again no sooner than it was asked to', () => {
    expect(inSeconds(nextRetry(NOW, 0, 30_000, 0))).toBe(30);
  });

  it('looks for a missing answer at once, then after 5 s, 15 s, 60 s, 5 min, and each hour', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map((rounds) => inSeconds(nextLookUp(NOW, rounds)))).toEqual([0, 5, 15, 60, 300, 3600, 3600, 3600]);
  });
});
