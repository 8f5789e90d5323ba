import { describe, expect, it } from '@jest/globals';
import { deployed } from './rolling-arena.js';

describe('A deploy over the version before, under load', () => {
  it('fails no request while both run side by side, may be taken back, and leaves what Stripe has', async () => {
    const { report, payments } = await deployed({ seed: 11, perSecond: 6 });
    expect(report.failed).toEqual([]);
    expect(report.replaced).toBe(20);
    expect(report.requests).toBeGreaterThan(100);
    expect(payments).toBeGreaterThan(50);
  }, 900_000);
});
