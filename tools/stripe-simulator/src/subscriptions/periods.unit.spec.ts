import { describe, expect, it } from '@jest/globals';
import { nextBoundary } from './periods.js';

const at = (text: string): number => Date.parse(`${text}T10:00:00Z`) / 1000;

describe('The next boundary of a billing cycle', () => {
  it.each([
    ['day', 1, '2026-11-21', '2026-11-21', '2026-11-22'],
    ['week', 2, '2026-11-21', '2026-11-30', '2026-12-05'],
    ['month', 1, '2026-01-31', '2026-01-31', '2026-02-28'],
    ['month', 1, '2026-01-31', '2026-02-28', '2026-03-31'],
    ['month', 3, '2026-11-30', '2026-11-30', '2027-02-28'],
    ['year', 1, '2024-02-29', '2024-02-29', '2025-02-28'],
    ['year', 1, '2024-02-29', '2027-03-01', '2028-02-29'],
    ['month', 1, '2026-12-05', '2026-11-21', '2026-12-05'],
  ] as const)('every %s × %i from %s, after %s: %s', (interval, count, anchor, after, boundary) => {
    expect(nextBoundary(at(anchor), { interval, interval_count: count }, at(after))).toBe(at(boundary));
  });
});
