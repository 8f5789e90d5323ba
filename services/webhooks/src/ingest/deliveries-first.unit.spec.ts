import { describe, expect, it } from '@jest/globals';
import { deliveriesFirst, eventLoopBusy } from './deliveries-first.js';

/** How often it looked, and when it went on. */
async function waited(rows: (look: number) => number, busy: (look: number) => number): Promise<{ looks: number; ms: number }> {
  const startedAt = performance.now();
  // The first question only begins the time that is asked about.
  let looks = -1;
  await deliveriesFirst({ rowsLately: () => rows(looks), busy: () => busy((looks += 1)) });
  return { looks, ms: performance.now() - startedAt };
}

describe('What gives way to deliveries', () => {
  it('does not wait for a few', async () => {
    expect(
      await waited(
        () => 49,
        () => 1,
      ),
    ).toMatchObject({ looks: 0 });
  });

  it('looks once how busy the ordinary ones of a moment keep the process, and goes on', async () => {
    expect(
      await waited(
        () => 249,
        () => 0.69,
      ),
    ).toMatchObject({ looks: 1 });
  });

  it('waits until a burst is over, however little it keeps the process busy', async () => {
    expect(
      await waited(
        (look) => (look < 4 ? 600 : 30),
        () => 0,
      ),
    ).toMatchObject({ looks: 4 });
  });

  it('waits while no more than that can be stored, because it is all that the process has time for', async () => {
    expect(
      await waited(
        () => 100,
        (look) => (look < 4 ? 0.95 : 0.5),
      ),
    ).toMatchObject({ looks: 4 });
  });

  it('goes on after a second of a burst without an end', async () => {
    const { ms } = await waited(
      () => 600,
      () => 1,
    );
    expect(ms).toBeGreaterThanOrEqual(1000);
  });
});

describe('How busy the process is', () => {
  it('is told of the time since it was asked last, and of no other', async () => {
    const busy = eventLoopBusy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(busy()).toBeLessThan(0.5);
    for (const until = performance.now() + 200; performance.now() < until;);
    await new Promise(setImmediate);
    expect(busy()).toBeGreaterThan(0.9);
  });
});
