import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.js';

describe('When a condition is awaited', () => {
  it('returns what the first successful attempt returned', async () => {
    let attempts = 0;
    const value = await eventually(
      () => {
        attempts += 1;
        if (attempts < 3) throw new Error('not yet');
        return attempts;
      },
      { everyMs: 1 },
    );
    expect(value).toBe(3);
  });

  it('fails at the deadline with the last error', async () => {
    let attempts = 0;
    const hopeless = () => {
      attempts += 1;
      throw new Error(`attempt ${attempts}`);
    };
    await expect(eventually(hopeless, { timeoutMs: 20, everyMs: 1 })).rejects.toThrow(
      /^attempt \d+\n\(still so after \d+ attempts in 20 ms\)$/,
    );
  });
});
