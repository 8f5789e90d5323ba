import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sweepWindows, unlistedSeconds } from './window.decide.js';

const at = (seconds: number) => new Date(seconds * 1000);

describe('The windows of a sweep', () => {
  it('reach from before the last sweep to now', () => {
    expect(sweepWindows({ sweptUntil: at(10_000), now: at(10_300), overlapSeconds: 600, chunkSeconds: 3600 })).toEqual([
      { gte: 9400, lt: 10_301 },
    ]);
  });

  it('are cut into pieces after a long absence, oldest first', () => {
    expect(sweepWindows({ sweptUntil: at(1000), now: at(8999), overlapSeconds: 0, chunkSeconds: 4000 })).toEqual([
      { gte: 1000, lt: 5000 },
      { gte: 5000, lt: 9000 },
    ]);
  });

  it('do not ask for more than Stripe lists', () => {
    const [first] = sweepWindows({ sweptUntil: at(0), now: at(90 * 86_400), overlapSeconds: 600, chunkSeconds: 86_400 });
    expect(first!.gte).toBeGreaterThan(60 * 86_400);
  });

  it('leave no second out', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        fc.nat(5000),
        fc.integer({ min: 20_000, max: 100_000 }),
        (swept, later, overlapSeconds, chunkSeconds) => {
          const windows = sweepWindows({ sweptUntil: at(swept), now: at(swept + later), overlapSeconds, chunkSeconds });
          expect(windows[0]!.gte).toBe(Math.max(swept - overlapSeconds, swept + later + 1 - (30 * 86_400 - 3600)));
          expect(windows.at(-1)!.lt).toBe(swept + later + 1);
          windows.slice(1).forEach((window, i) => expect(window.gte).toBe(windows[i]!.lt));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('What no sweep can read any more', () => {
  it('is nothing while Stripe lists it', () => {
    expect(unlistedSeconds(at(1_000_000), at(1_000_000 + 29 * 86_400))).toBe(0);
  });

  it('is the time between the last sweep and the oldest listed event', () => {
    const now = 1_000_000 + 40 * 86_400;
    const seconds = unlistedSeconds(at(1_000_000), at(now));
    const [first] = sweepWindows({ sweptUntil: at(1_000_000), now: at(now), overlapSeconds: 600, chunkSeconds: 3600 });
    expect(first!.gte).toBe(1_000_000 + seconds);
  });
});
