import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { fleetMetrics } from '../src/fleet/fleet-metrics.js';
import { type StripeOutcome } from '../src/outcome.js';
import { kinds, OK, openTestFleet, type TestFleet } from './fleet-world.js';

jest.setTimeout(60_000);

let world: TestFleet;
beforeAll(async () => {
  world = await openTestFleet();
});
afterEach(() => world.clear());
afterAll(() => world.close());

const UNAUTHORIZED: StripeOutcome<never> = { kind: 'auth', status: 401, message: 'Expired API Key' };
const FORBIDDEN: StripeOutcome<never> = { kind: 'auth', status: 403, message: 'No permission' };

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
      await eventually(() => world.expectOneWaits(tx));
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
