import { describe, expect, it } from '@jest/globals';
import { Backlog } from './backlog.js';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22) + seconds * 1000);
const MINUTE_MS = 60_000;

describe('A backlog of payments', () => {
  it('is waited for as long as its oldest has waited', () => {
    const backlog = new Backlog();
    expect(backlog.allows(at(0), 0)).toBe(0);
    expect(backlog.allows(at(10), 30_000)).toBe(30_000);
    expect(backlog.isLong).toBe(false);
  });

  it('is waited for in full while its oldest is another one from time to time, up to a quarter of an hour', () => {
    const backlog = new Backlog();
    for (let minute = 0; minute < 60; minute += 1) expect(backlog.allows(at(minute * 60), 10 * MINUTE_MS)).toBe(10 * MINUTE_MS);
    expect(backlog.isLong).toBe(true);
    expect(backlog.allows(at(3600), 60 * MINUTE_MS)).toBe(15 * MINUTE_MS);
  });

  it('is waited for two minutes when its oldest has been the same for as long, until it is another one', () => {
    const backlog = new Backlog();
    const stuck = (seconds: number) => backlog.allows(at(seconds), 600_000 + seconds * 1000);
    expect(stuck(0)).toBe(600_000);
    // The answer came sooner than the first one.
    expect(backlog.allows(at(119), 718_500)).toBe(718_500);
    expect(stuck(120)).toBe(120_000);
    expect(backlog.isLong).toBe(false);
    expect(backlog.allows(at(130), 600_000)).toBe(600_000);
  });
});
