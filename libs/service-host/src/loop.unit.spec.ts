import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { HealthRegistry } from './health.js';
import { everyLoop } from './loop.js';

const logger = createLogger({ service: 'test', level: 'silent' });
const HOUR_MS = 3_600_000;

function loopOf(runOnce: () => Promise<number>, extra: Partial<Parameters<typeof everyLoop>[0]> = {}) {
  const health = new HealthRegistry();
  return { health, loop: everyLoop({ name: 'sweep', intervalMs: HOUR_MS, runOnce, health, logger, ...extra }) };
}

/** Resolves at the n-th call of the returned function. */
function countdown(times: number): { hit(): void; reached: Promise<void> } {
  const { promise, resolve }: PromiseWithResolvers<void> = Promise.withResolvers();
  let left = times;
  return {
    reached: promise,
    hit: () => {
      left -= 1;
      if (left === 0) resolve();
    },
  };
}

describe('A loop', () => {
  it('runs again at once while there is work, then waits to be signalled', async () => {
    const results = [5, 3, 0, 0];
    const [drained, woken] = [countdown(3), countdown(4)];
    const { loop } = loopOf(() => {
      drained.hit();
      woken.hit();
      return Promise.resolve(results.shift() ?? 0);
    });
    const running = loop.run();

    await drained.reached;
    loop.signal?.();
    await woken.reached;
    await loop.stop();
    await running;
    expect(results).toEqual([]);
  });

  it('never runs twice at the same time, and stop waits for the work in hand', async () => {
    const gate = Promise.withResolvers<number>();
    const started = countdown(1);
    let active = 0;
    const { loop } = loopOf(async () => {
      active += 1;
      started.hit();
      const done = await gate.promise;
      active -= 1;
      return done;
    });
    void loop.run();
    void loop.run();
    await started.reached;
    expect(active).toBe(1);

    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await Promise.resolve();
    expect(stopped).toBe(false);
    gate.resolve(0);
    await stopping;
    expect(active).toBe(0);
  });

  it('survives a failing run', async () => {
    const twice = countdown(2);
    const { loop, health } = loopOf(() => {
      twice.hit();
      return Promise.reject(new Error('no'));
    });
    void loop.run();
    await twice.reached;
    expect(health.live().loops['sweep']?.ok).toBe(true);
    await loop.stop();
  });

  it('runs only while it leads, with the epoch of its lease, and gives the lease back', async () => {
    const epochs: (number | null)[] = [];
    const twice = countdown(2);
    const grants = [null, 7];
    let released = 0;
    const leader = {
      acquireIfFree: () => {
        twice.hit();
        return Promise.resolve(grants.shift() ?? null);
      },
      renew: () => Promise.resolve(true),
      release: () => Promise.resolve(void (released += 1)),
    };
    const { loop } = loopOf(() => Promise.resolve(0), { leader, runOnce: ({ epoch }) => Promise.resolve(epochs.push(epoch) && 0) });
    void loop.run();
    loop.signal?.();
    await twice.reached;
    await loop.stop();
    expect(epochs).toEqual([7]);
    expect(released).toBe(1);
  });
});

describe('Health', () => {
  it('is alive whatever the dependencies do, and not ready while one of them is away or it drains', async () => {
    const health = new HealthRegistry();
    let broker = false;
    health.dependency('broker', () => broker);
    health.dependency('postgres', () => Promise.resolve());

    expect(health.live().ok).toBe(true);
    expect(await health.ready()).toMatchObject({ ok: false, dependencies: { broker: { ok: false }, postgres: { ok: true } } });
    broker = true;
    expect(await health.ready()).toMatchObject({ ok: true });
    health.drain();
    expect(await health.ready()).toMatchObject({ ok: false, draining: true });
    health.close();
  });

  it('is not alive when a loop stopped ticking', () => {
    const health = new HealthRegistry();
    const loop = health.loop('relay', -1);
    expect(health.live()).toMatchObject({ ok: false, loops: { relay: { ok: false } } });
    loop.stop();
    expect(health.live().ok).toBe(true);
    health.close();
  });
});
