import { describe, expect, it } from '@jest/globals';
import { PermanentFailure, TransientFailure } from './incoming.js';
import { verdictOn } from './retry-policy.js';

const HOUR = 3_600_000;
const policy = { firstRetryMs: 500, longestRetryMs: 15 * 60_000, giveUpAfterMs: 24 * HOUR };
const now = new Date('2026-05-01T00:00:00Z');
const pauseOf = (error: unknown, failures: number, failingForMs = 0): number | 'dead' => {
  const verdict = verdictOn(
    error,
    { failures, firstFailedAt: failures === 0 ? null : new Date(now.getTime() - failingForMs) },
    now,
    policy,
    0.5,
  );
  return verdict.kind === 'dead' ? 'dead' : verdict.dueAt.getTime() - now.getTime();
};

describe('When an attempt failed', () => {
  it('doubles the pause up to the longest', () => {
    expect([0, 1, 2, 3, 10, 11, 60].map((failures) => pauseOf(new Error('away'), failures))).toEqual([
      500, 1_000, 2_000, 4_000, 512_000, 900_000, 900_000,
    ]);
  });

  it('spreads the pauses by a fifth', () => {
    const at = (random: number) => verdictOn(new Error('away'), { failures: 1, firstFailedAt: now }, now, policy, random);
    expect([at(0), at(1)]).toEqual([
      { kind: 'retry', dueAt: new Date(now.getTime() + 900) },
      { kind: 'retry', dueAt: new Date(now.getTime() + 1_100) },
    ]);
  });

  it('keeps trying for 24 hours and then gives up', () => {
    expect(pauseOf(new Error('away'), 90, 23.9 * HOUR)).toBe(900_000);
    expect(pauseOf(new Error('away'), 90, 24 * HOUR)).toBe('dead');
  });

  it('gives nothing up after a few failures, however far the clock jumped', () => {
    expect(pauseOf(new Error('away'), 1, 48 * HOUR)).toBe(1_000);
  });

  it('waits as long as the failure asks for, at most a day', () => {
    expect(pauseOf(new TransientFailure('later', 60_000), 0)).toBe(60_000);
    expect(pauseOf(new TransientFailure('much later', 100 * HOUR), 0)).toBe(24 * HOUR);
  });

  it('is over at once for a permanent one', () => {
    expect(pauseOf(new PermanentFailure('never'), 0)).toBe('dead');
  });
});
