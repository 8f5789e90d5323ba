import { expect, it } from '@jest/globals';
import { untilNextLook } from './next-look.js';

it('The next look of a process comes for all in the same moment, within the pause that each asks for', () => {
  const [first, second] = [untilNextLook(1_000), untilNextLook(1_000)];
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThanOrEqual(1_000);
  // The moment may have just passed between the two.
  expect(Math.min(Math.abs(first - second), 1_000 - Math.abs(first - second))).toBeLessThan(100);
});
