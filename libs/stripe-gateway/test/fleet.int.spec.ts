import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { type StripeOutcome } from '../src/outcome.js';
import { kinds, OK, openTestFleet, type TestFleet, TIMEOUT } from './fleet-world.js';

jest.setTimeout(60_000);

let world: TestFleet;
beforeAll(async () => {
  world = await openTestFleet();
});
afterEach(() => world.clear());
afterAll(() => world.close());

describe('Failures', () => {
  it('of different processes open the breaker together, for all of them, and for writes only', async () => {
    const [second, third] = [world.process(), world.process({ service: 'webhooks' })];
    await world.fail(2);
    await world.fail(2, second);
    await world.fail(1, third);
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
    await world.fail(5);
    await sql`GRANT INSERT ON stripe_gateway.transitions TO payments`.execute(world.db);
    await eventually(async () => expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open']));
  });

  it('of calls that were under way when it opened change nothing after it closed', async () => {
    let end!: (outcome: StripeOutcome<string>) => void;
    const late = world.first.fleet.run('cancelIntent', () => new Promise<StripeOutcome<string>>((resolve) => (end = resolve)));
    await eventually(() => expect(end).toBeDefined());
    await world.fail(5);
    await world.pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
    await world.fail(4);
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
    await world.fail(5);
    await Promise.all(processes.map((one) => one.fleet.refresh()));
    await world.pass(1_000);
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
    await world.fail(5);
    await world.pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(TIMEOUT)).kind).toBe('unknown');
    expect((await world.first.call(OK)).kind).toBe('refused');
    expect((await world.transitions()).map((one) => one.cause)).toEqual(['failures', 'probe', 'probe_failed']);
  });

  it('a process whose probe died leaves the place to another after a recovery time', async () => {
    await world.fail(5);
    await world.pass(1_000);
    const dead = world.process();
    await dead.fleet.breakers.leaseProbe('stripe', 'dead', { service: 'payments', process: 'dead', correlationId: null });
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('refused');
    await world.pass(1_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
  });

  it('which a clock of the database that was set back cannot make longer, a probe is let through', async () => {
    await world.fail(5);
    await world.pass(-3_600_000);
    await world.first.fleet.refresh();
    expect((await world.first.call(OK)).kind).toBe('ok');
    expect((await world.transitions()).map((one) => one.to_state)).toEqual(['open', 'half_open', 'closed']);
  });

  it('says so while nobody calls, and lets one request a second in', async () => {
    const due: string[] = [];
    const listening = world.process({ onProbeDue: (breaker) => due.push(breaker) });
    await world.fail(5);
    await world.pass(1_000);
    await eventually(() => expect(due).toContain('stripe'));
    await listening.fleet.refresh();
    expect(await listening.fleet.door('stripe')).toBeNull();
    expect(await listening.fleet.door('stripe')).toEqual({ why: 'The circuit breaker is open', retryAfterMs: 1_000 });
  });
});

describe('An operator', () => {
  it('isolates a breaker that is changing at that very moment', async () => {
    const operator = { service: 'payments', process: 'spec', correlationId: null };
    const { isolating } = await world.db.transaction().execute(async (tx) => {
      await sql`UPDATE stripe_gateway.breaker_states SET version = version + 1 WHERE name = 'stripe'`.execute(tx);
      const isolating = world.first.fleet.breakers.isolate('stripe', operator);
      await eventually(() => world.expectOneWaits(tx));
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
