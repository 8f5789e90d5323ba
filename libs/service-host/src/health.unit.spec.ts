import { setTimeout as untilDue } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { HealthRegistry } from './health.js';

describe('The liveness of a process', () => {
  let health: HealthRegistry;
  afterEach(() => health.close());

  const SAMPLE_MS = 5;
  const given = () => (health = new HealthRegistry({ sampleMs: SAMPLE_MS, lagLimitMs: 40 }));
  /** Keeps the event loop busy, and then lets what is due run. */
  const stall = async (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    while (performance.now() < until);
    await untilDue(0);
  };

  it('does not end with one long pause of its event loop, such as its start', async () => {
    given();
    await stall(120);
    expect(health.live().ok).toBe(true);
  });

  it('ends when its event loop is late again and again, and comes back', async () => {
    given();
    for (let i = 0; i < 4; i += 1) await stall(120);
    expect(health.live()).toMatchObject({ ok: false });
    expect(health.live().event_loop_lag_ms).toBeGreaterThanOrEqual(40);
    while (!health.live().ok) await untilDue(SAMPLE_MS);
  });
});
