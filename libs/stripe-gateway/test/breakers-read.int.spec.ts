import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { COPY_LASTS_MS } from '../src/fleet/fleet-copy.js';
import { OK, openTestFleet, type TestFleet } from './fleet-world.js';

jest.setTimeout(60_000);

let world: TestFleet;
beforeAll(async () => {
  world = await openTestFleet();
});
afterEach(() => world.clear());
afterAll(() => world.close());

describe('A process that makes no calls', () => {
  function resting() {
    const process = world.process({ quietAfterMs: 0 });
    const { breakers } = process.fleet;
    const reads: number[] = [];
    const read = breakers.read.bind(breakers);
    breakers.read = () => {
      reads.push(performance.now());
      return read();
    };
    return { process, reads };
  }

  it('reads the breakers each second, and before its next call', async () => {
    const { process, reads } = resting();
    await eventually(() => expect(reads.length).toBeGreaterThanOrEqual(2));
    expect(reads[1]! - reads[0]!).toBeGreaterThan(800);
    await world.fail(5);
    // What it read is too old by now to let anything through.
    await eventually(() => expect(performance.now() - reads.at(-1)!).toBeGreaterThan(COPY_LASTS_MS), { everyMs: 5 });
    expect((await process.call(OK)).kind).toBe('refused');
  });

  it('waits for a first read that takes longer than a copy counts, as when it has just started on a busy machine', async () => {
    const { asked } = await world.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE stripe_gateway.breaker_states`.execute(tx);
      const door = world.process().fleet.door('stripe');
      await delay(COPY_LASTS_MS + 100);
      return { asked: door };
    });
    expect(await asked).toBeNull();
  });

  it('waits on after a read that was given up, as when one connection hangs', async () => {
    const { fleet } = world.process();
    await fleet.refresh();
    const { breakers } = fleet;
    const read = breakers.read.bind(breakers);
    let asked = 0;
    breakers.read = () => ((asked += 1) === 1 ? new Promise(() => undefined) : read());
    await eventually(() => expect(asked).toBe(1));
    await delay(COPY_LASTS_MS);
    expect(await fleet.door('stripe')).toBeNull();
    expect(asked).toBeGreaterThan(1);
  });

  it('reads them four times a second as soon as one is not closed', async () => {
    const { process, reads } = resting();
    await world.fail(5);
    await eventually(() => expect(process.changes.at(-1)).toMatchObject({ breaker: 'stripe', to: 'open' }));
    const from = reads.length;
    await eventually(() => expect(reads.length).toBeGreaterThanOrEqual(from + 4));
    expect(reads[from + 3]! - reads[from]!).toBeLessThan(2_000);
  });
});

describe('A process', () => {
  it('that starts hears of what changed before it was there', async () => {
    await world.first.fleet.breakers.isolate('stripe', { service: 'payments', process: 'spec', correlationId: null });
    await world.first.fleet.breakers.close('stripe', { service: 'payments', process: 'spec', correlationId: null });
    const late = world.process();
    await late.fleet.refresh();
    expect(late.changes).toContainEqual(expect.objectContaining({ breaker: 'stripe', to: 'closed' }));
  });

  it('hears of a change although the database refuses what it wants to write at the same time', async () => {
    await world.first.fleet.refresh();
    await sql`REVOKE UPDATE ON stripe_gateway.breaker_states FROM payments`.execute(world.db);
    await sql`
      UPDATE stripe_gateway.breaker_states SET version = version + 1, state = CASE WHEN name = 'stripe_reads' THEN 'auth' ELSE 'isolated' END,
        latched_by = CASE WHEN name = 'stripe_reads' THEN 'payments' END WHERE name IN ('stripe', 'stripe_reads')`.execute(world.db);
    await eventually(() => expect(world.first.fleet.state('stripe')).toBe('isolated'));
    await sql`GRANT UPDATE ON stripe_gateway.breaker_states TO payments`.execute(world.db);
    await world.first.fleet.refresh();
    expect(world.first.changes).toContainEqual(expect.objectContaining({ breaker: 'stripe', to: 'isolated' }));
  });
});

describe('A process that cannot read the breakers', () => {
  it('admits nothing, and goes on when it can', async () => {
    expect((await world.first.call(OK)).kind).toBe('ok');
    const before = world.calls();
    await sql`REVOKE SELECT ON stripe_gateway.breaker_states FROM payments`.execute(world.db);
    await eventually(async () => expect((await world.first.call(OK, 'retrieveIntent')).kind).toBe('refused'), { timeoutMs: 5_000 });
    const admitted = world.calls();
    for (let i = 0; i < 3; i += 1) expect((await world.first.call(OK)).kind).toBe('refused');
    expect(world.calls()).toBe(admitted);
    expect(before).toBeLessThanOrEqual(admitted);
    expect(await world.first.fleet.door('stripe')).toEqual({ why: 'The circuit breaker cannot be read in time', retryAfterMs: 1_000 });
    await expect(world.process().fleet.start()).rejects.toThrow(/permission denied/);
    await sql`GRANT SELECT ON stripe_gateway.breaker_states TO payments`.execute(world.db);
    await eventually(async () => expect((await world.first.call(OK)).kind).toBe('ok'));
  });

  it('admits nothing from a copy that grew old while it was stopped', async () => {
    const other = world.process();
    await other.fleet.refresh();
    await world.fail(5);
    const asleep = performance.now() + 800;
    // As a process that was paused: no timer fires, then work goes on before any poll.
    while (performance.now() < asleep);
    const started = world.calls();
    expect((await other.call(OK)).kind).toBe('refused');
    expect(world.calls()).toBe(started);
  });
});
