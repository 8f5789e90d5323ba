import { describe, expect, it } from '@jest/globals';
import { deliveriesFirst } from './deliveries-first.js';

/** How often it looked, and when it went on. */
async function waited(rows: (look: number) => number): Promise<{ looks: number; ms: number }> {
  const startedAt = performance.now();
  let looks = 0;
  await deliveriesFirst(() => rows((looks += 1)));
  return { looks, ms: performance.now() - startedAt };
}

describe('What gives way to deliveries', () => {
  it('does not wait for the few of an ordinary moment', async () => {
    expect(await waited(() => 249)).toMatchObject({ looks: 1 });
  });

  it('waits until a burst is over', async () => {
    expect(await waited((look) => (look < 4 ? 600 : 30))).toMatchObject({ looks: 4 });
  });

  it('goes on after a second of a burst without an end', async () => {
    const { ms } = await waited(() => 600);
    expect(ms).toBeGreaterThanOrEqual(1000);
  });
});
