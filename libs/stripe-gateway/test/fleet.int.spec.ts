import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Db } from '@tidegate/database/database';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { COPY_LASTS_MS } from '../src/fleet/fleet-copy.js';
import { fleetMetrics } from '../src/fleet/fleet-metrics.js';
import { type StripeOutcome } from '../src/outcome.js';
import { OK, openTestFleet, type TestFleet, TIMEOUT } from './fleet-world.js';

jest.setTimeout(60_000);

let world: TestFleet;
beforeAll(async () => {
  world = await openTestFleet();
});
afterEach(() => world.clear());
afterAll(() => world.close());

const UNAUTHORIZED: StripeOutcome<never> = { kind: 'auth', status: 401, message: 'Expired API Key' };
const FORBIDDEN: StripeOutcome<never> = { kind: 'auth', status: 403, message: 'No permission' };
const fail = async (times: number, process = world.first) => {
  for (let i = 0; i < times; i += 1) await process.call(TIMEOUT);
};
const kinds = (outcomes: StripeOutcome<unknown>[]) => outcomes.map((one) => one.kind).sort();
const pass = (ms: number) =>
  sql`UPDATE stripe_gateway.breaker_states SET retry_at = retry_at - ${ms} * interval '1 millisecond'`.execute(world.db);

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
    await fail(5);
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
    await fail(5);
    await eventually(() => expect(process.changes.at(-1)).toMatchObject({ breaker: 'stripe', to: 'open' }));
    const from = reads.length;
    await eventually(() => expect(reads.length).toBeGreaterThanOrEqual(from + 4));
    expect(reads[from + 3]! - reads[from]!).toBeLessThan(2_000);
  });
});

describe('Failures', () => {
  it('of different processes open the breaker together, for all of them, and for writes only', async () => {
    const [second, third] = [world.process(), world.process({ service: 'webhooks' })];
    await fail(2);
    await fail(2, second);
    await fail(1, third);
    const started = world.calls();
    await eventually(async () => {
      for (const one of [world.first, second, third]) expect((await one.fleet.door('stripe'))?.retryAfterMs).toBeGreaterThan(0);
    });
    for (const one of [world.first, second, third]) expect((await one.call(OK)).kind).toBe('refused');
    expect(world.calls()).toBe(started);
    expect((await second.call(OK, 'retrieveIntent')).kind).toBe('ok');
    expect(await world.transitions()).toEqual([{ breaker: 'stripe', from_state: 'closed', to_state: 'open', cause: 'failures' }]);
  });

  it('that come at the same instant are all counted', async () => {
    const processes = [world.first, world.process(), world.process()];
    await Promise.all(processes.map((one) => one.fleet.refresh()));
    await Promise.all(processes.flatMap((one) => [one.call(TIMEOUT), one.call(TIMEOUT)]));
    expect(await world.transitions()).toHaveLength(1);
  });

  it('of one in a thousand calls do not open it', async () => {
    for (let i = 0; i < 8; i += 1) {
      await Promise.all(Array.from({ length: 250 }, () => world.first.call(OK)));
      await world.first.call(TIMEOUT);
    }
    expect(await world.transitions()).toEqual([]);
  });

  it('are written at once, successes a little later, and the view tells both', async () => {
    await world.first.call(OK);
    await world.first.call(TIMEOUT);
    const { rows } =
      await sql`SELECT state, calls, failures, last_failure_at IS NOT NULL AS failed FROM stripe_gateway.breakers WHERE name = 'stripe'`.execute(
        world.db,
      );
    expect(rows).toEqual([{ state: 'closed', calls: 2, failures: 1, failed: true }]);
    await world.first.call(OK, 'retrieveIntent');
    await eventually(async () => {
      const reads = await sql`SELECT calls FROM stripe_gateway.breakers WHERE name = 'stripe_reads'`.execute(world.db);
      expect(reads.rows).toEqual([{ calls: 1 }]);
    });
  });

  it('open it although the database could not say so when the last one was counted', async () => {
    await sql`REVOKE INSERT ON stripe_gateway.transitions FROM payments`.execute(world.db);
    await fail(5);
    await sql`GRANT INSERT ON stripe_gateway.transitions TO payments`.execute(world.db);
    await eventually(async () => expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open']));
  });

  it('of calls that were under way when it opened change nothing after it closed', async () => {
    let end!: (outcome: StripeOutcome<string>) => void;
    const late = world.first.fleet.run('cancelIntent', () => new Promise<StripeOutcome<string>>((resolve) => (end = resolve)));
    await eventually(() => expect(end).toBeDefined());
    await fail(5);
    await pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
    await fail(4);
    end(TIMEOUT);
    await late;
    expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open', 'half_open', 'closed']);
  });
});

describe('A slow call', () => {
  it('counts as failed although Stripe answered', async () => {
    const slow = world.process({ slowMs: 0 });
    for (let i = 0; i < 5; i += 1)
      await slow.fleet.run('cancelIntent', async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return OK;
      });
    expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open']);
  });
});

describe('After the recovery time', () => {
  it('one probe of the whole fleet is let through; its success closes the breaker for everyone, and each process hears of it once', async () => {
    const processes = [world.first, world.process(), world.process()];
    await fail(5);
    await Promise.all(processes.map((one) => one.fleet.refresh()));
    await pass(1_000);
    await Promise.all(processes.map((one) => one.fleet.refresh()));
    const before = world.calls();
    let end!: (outcome: StripeOutcome<string>) => void;
    const held = () => new Promise<StripeOutcome<string>>((resolve) => (end = resolve));
    const tries = processes.flatMap((one) => [one.fleet.run('cancelIntent', held), one.fleet.run('cancelIntent', held)]);
    await eventually(() => expect(end).toBeDefined());
    const refused = await Promise.all(
      tries.map((one) => Promise.race([one, new Promise<StripeOutcome<string>>((resolve) => setTimeout(() => resolve(OK), 300))])),
    );
    expect(refused.filter((one) => one.kind === 'refused')).toHaveLength(5);
    end(OK);
    expect(kinds(await Promise.all(tries))).toEqual(['ok', ...Array(5).fill('refused')]);
    await eventually(() => {
      for (const one of processes) expect(one.changes.filter(({ from, to }) => from === 'half_open' && to === 'closed')).toHaveLength(1);
    });
    expect(world.calls()).toBe(before);
    const lines = processes.flatMap((one) => one.lines).map(({ event, target }) => `${String(event)} ${String(target)}`);
    expect(lines).toEqual(['circuit_breaker_open stripe', 'circuit_breaker_half_open stripe', 'circuit_breaker_closed stripe']);
  });

  it('a probe that fails opens it for another recovery time', async () => {
    await fail(5);
    await pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(TIMEOUT)).kind).toBe('unknown');
    expect((await world.first.call(OK)).kind).toBe('refused');
    expect((await world.transitions()).map((one) => one.cause)).toEqual(['failures', 'probe', 'probe_failed']);
  });

  it('a process whose probe died leaves the place to another after a recovery time', async () => {
    await fail(5);
    await pass(1_000);
    const dead = world.process();
    await dead.fleet.breakers.leaseProbe('stripe', 'dead', { service: 'payments', process: 'dead', correlationId: null });
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('refused');
    await pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
  });

  it('which a clock of the database that was set back cannot make longer, a probe is let through', async () => {
    await fail(5);
    await pass(-3_600_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
    expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open', 'half_open', 'closed']);
  });

  it('says so while nobody calls, and lets one request a second in', async () => {
    const due: string[] = [];
    const listening = world.process({ onProbeDue: (breaker) => due.push(breaker) });
    await fail(5);
    await pass(1_000);
    await eventually(() => expect(due).toContain('stripe'));
    await listening.fleet.refresh();
    expect(await listening.fleet.door('stripe')).toBeNull();
    expect(await listening.fleet.door('stripe')).toEqual({ why: 'The circuit breaker is open', retryAfterMs: 1_000 });
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
    await fail(5);
    const asleep = performance.now() + 800;
    // As a process that was paused: no timer fires, then work goes on before any poll.
    while (performance.now() < asleep);
    const started = world.calls();
    expect((await other.call(OK)).kind).toBe('refused');
    expect(world.calls()).toBe(started);
  });
});

describe('A 401', () => {
  it('stops every call of every process with that key until the key changes, also where the state was reached by others', async () => {
    const other = world.process({ service: 'reconciliation' });
    await other.fleet.refresh();
    await world.first.call(UNAUTHORIZED);
    await other.fleet.refresh();
    expect((await world.transitions()).map((one) => `${one.breaker} ${one.to_state}`)).toEqual([
      'stripe auth',
      'stripe_reads auth',
      'stripe_usage auth',
    ]);
    for (const one of [world.first, other])
      expect(kinds([await one.call(OK), await one.call(OK, 'retrieveIntent')])).toEqual(['refused', 'refused']);

    world.first.useKey('sha256:second');
    await eventually(async () => expect((await world.first.call(OK)).kind).toBe('ok'));
    await other.fleet.refresh();
    expect((await other.call(OK, 'retrieveIntent')).kind).toBe('refused');
    other.useKey('sha256:second');
    expect((await other.call(OK, 'retrieveIntent')).kind).toBe('ok');
    expect((await world.transitions()).filter((one) => one.cause === 'key_changed')).toHaveLength(3);
  });

  it('of a key that is known to be refused stops nobody who has another one by now', async () => {
    let end!: (outcome: StripeOutcome<string>) => void;
    const old = world.process({ service: 'webhooks' });
    const late = old.fleet.run('cancelIntent', () => new Promise<StripeOutcome<string>>((resolve) => (end = resolve)));
    await eventually(() => expect(end).toBeDefined());
    await world.first.call(UNAUTHORIZED);
    world.first.useKey('sha256:second');
    await eventually(async () => expect((await world.first.call(OK)).kind).toBe('ok'));
    end(UNAUTHORIZED);
    await late;
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
    expect((await old.call(OK)).kind).toBe('refused');
  });

  it('shows in the metrics of a process that still has that key, also when others go on with another', async () => {
    const old = world.process();
    await world.first.call(UNAUTHORIZED);
    world.first.useKey('sha256:second');
    await eventually(async () => expect((await world.first.call(OK)).kind).toBe('ok'));
    await old.fleet.refresh();
    const shown = async (one: typeof old) => {
      const metrics = createMetrics('fleet');
      fleetMetrics(metrics, world.db, one.fleet);
      return (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('circuit_state{'));
    };
    for (const line of await shown(old)) expect(line).toMatch(/ 4$/);
    for (const line of await shown({ ...old, fleet: world.first.fleet })) expect(line).toMatch(/ 0$/);
  });

  it('does not end with the isolation of a breaker, whichever came first: closing it tells of the key again, until that changes', async () => {
    const author = { service: 'payments', process: 'spec', correlationId: null };
    const { breakers } = world.first.fleet;
    const state = async () => {
      await world.first.fleet.refresh();
      return world.first.fleet.state('stripe');
    };
    await breakers.isolate('stripe', author);
    await world.first.call(UNAUTHORIZED, 'retrieveIntent');
    expect(await state()).toBe('isolated');
    await breakers.close('stripe', author);
    expect(await state()).toBe('auth');
    await breakers.isolate('stripe', author);
    await breakers.close('stripe', author);
    expect(await state()).toBe('auth');
    expect((await world.first.call(OK)).kind).toBe('refused');

    await breakers.isolate('stripe', author);
    world.first.useKey('sha256:second');
    await world.first.fleet.refresh();
    await breakers.close('stripe', author);
    expect(await state()).toBe('closed');
    expect((await world.first.call(OK)).kind).toBe('ok');
  });

  it('latches a breaker that an operator closes at that very moment', async () => {
    const author = { service: 'payments', process: 'spec', correlationId: null };
    const { breakers } = world.first.fleet;
    await breakers.isolate('stripe_reads', author);
    const { refusing } = await world.db.transaction().execute(async (tx) => {
      await sql`UPDATE stripe_gateway.breaker_states SET version = version + 1 WHERE name = 'stripe'`.execute(tx);
      const refusing = breakers.refuseKey('sha256:first', author);
      await eventually(() => expectOneWaits(tx));
      await breakers.close('stripe_reads', author);
      return { refusing };
    });
    await refusing;
    await world.first.fleet.refresh();
    expect(world.first.fleet.state('stripe_reads')).toBe('auth');
  });

  it('is over with a reset', async () => {
    await world.first.call(UNAUTHORIZED);
    await world.first.fleet.breakers.reset('stripe', { service: 'payments', process: 'spec', correlationId: null });
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
  });
});

describe('A 403', () => {
  it('stops that operation only, for that key, until a reset', async () => {
    await world.first.call(FORBIDDEN, 'createRefund');
    expect((await world.first.call(OK, 'createRefund')).kind).toBe('refused');
    expect((await world.first.call(OK)).kind).toBe('ok');
    expect(await world.transitions()).toEqual([]);
    world.first.useKey('sha256:second');
    expect((await world.first.call(OK, 'createRefund')).kind).toBe('ok');
    world.first.useKey('sha256:first');
    await world.first.fleet.breakers.reset('stripe', { service: 'payments', process: 'spec', correlationId: null });
    await world.first.fleet.refresh();
    expect((await world.first.call(OK, 'createRefund')).kind).toBe('ok');
  });
});

describe('A 429', () => {
  const limited = (reason: string): StripeOutcome<never> => ({ kind: 'limited', reason, retryAfterMs: 2000, message: 'too many' });
  const limiter = async () =>
    (
      await sql<{
        tokens: number;
        factor: number;
        limited_reason: string | null;
      }>`SELECT tokens, factor, limited_reason FROM stripe_gateway.limiter WHERE name = 'stripe'`.execute(world.db)
    ).rows[0]!;

  it('of the account empties the bucket and halves the rate, and never opens', async () => {
    await world.first.call(limited('global-rate'));
    expect(await limiter()).toEqual({ tokens: 0, factor: expect.closeTo(0.5, 1), limited_reason: 'global-rate' });
    const more = await Promise.all(Array.from({ length: 6 }, () => world.first.call(limited('global-rate'))));
    expect(new Set(kinds(more))).toEqual(new Set(['limited']));
    expect(await world.transitions()).toEqual([]);
  });

  it('that goes on halves the rate again each half second, however close the answers come', async () => {
    const again = () => world.first.fleet.limiter.drain({ reason: 'global-rate', pauseMs: 0, halve: true });
    for (const endsAt = performance.now() + 1_200; performance.now() < endsAt;) {
      await again();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await limiter()).factor).toBeLessThan(0.3);
  });

  it('of an endpoint holds that operation for a moment', async () => {
    await world.first.call(limited('endpoint-rate'), 'createRefund');
    await world.first.fleet.refresh();
    expect((await world.first.call(OK, 'createRefund')).kind).toBe('refused');
    expect((await world.first.call(OK)).kind).toBe('ok');
    expect((await limiter()).factor).toBe(1);
    await eventually(async () => expect((await world.first.call(OK, 'createRefund')).kind).toBe('ok'), { timeoutMs: 4_000 });
  });

  it('for a lock slows nothing', async () => {
    await world.first.call(limited('lock_timeout'));
    expect(await limiter()).toMatchObject({ factor: 1, limited_reason: null });
  });
});

async function expectOneWaits(tx: Db): Promise<void> {
  const { rows } = await sql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`.execute(tx);
  expect(rows).toHaveLength(1);
}

describe('An operator', () => {
  it('isolates a breaker that is changing at that very moment', async () => {
    const operator = { service: 'payments', process: 'spec', correlationId: null };
    const { isolating } = await world.db.transaction().execute(async (tx) => {
      await sql`UPDATE stripe_gateway.breaker_states SET version = version + 1 WHERE name = 'stripe'`.execute(tx);
      const isolating = world.first.fleet.breakers.isolate('stripe', operator);
      await eventually(() => expectOneWaits(tx));
      return { isolating };
    });
    expect(await isolating).toEqual([expect.objectContaining({ breaker: 'stripe', to_state: 'isolated' })]);
  });
});

describe('The schema', () => {
  const may = async (role: string, what: string, table: string) =>
    (await sql<{ may: boolean }>`SELECT has_table_privilege(${role}, ${`stripe_gateway.${table}`}, ${what}) AS may`.execute(world.db))
      .rows[0]?.may;

  it('lets the three services that call Stripe change what they must, and nobody else look', async () => {
    for (const role of ['payments', 'webhooks', 'reconciliation']) {
      expect(await may(role, 'UPDATE', 'breaker_states')).toBe(true);
      expect(await may(role, 'INSERT', 'breaker_states')).toBe(false);
      expect(await may(role, 'DELETE', 'breaker_states')).toBe(false);
      expect(await may(role, 'SELECT', 'breakers')).toBe(true);
      expect(await may(role, 'UPDATE', 'transitions')).toBe(role === 'payments');
    }
    for (const role of ['gateway', 'receipts']) expect(await may(role, 'SELECT', 'breakers')).toBe(false);
  });
});
