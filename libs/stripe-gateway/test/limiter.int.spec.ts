import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { eventually } from '@tidegate/test-harness/eventually';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { sql } from 'kysely';
import { createStripeAdapter } from '../src/adapter.js';
import { around, type StripeOutcome, type StripePort } from '../src/port.js';
import { WaitingLine } from '../src/fleet/waiting-line.js';
import { OWN_LIMIT } from '../src/verdict.js';
import { withFleet } from '../src/with-fleet.js';
import { OK, openTestFleet, QUICK, type TestFleet, type TestProcess } from './fleet-world.js';

jest.setTimeout(90_000);

const RATE = 40;
const BURST = RATE / 4;
/** The long form: TIDEGATE_LIMITER_SECONDS=60. */
const SECONDS = Number(process.env['TIDEGATE_LIMITER_SECONDS'] ?? 4);

let world: TestFleet;
let simulator: Simulator;
beforeAll(async () => {
  [world, simulator] = await Promise.all([openTestFleet(QUICK, RATE), simulatorForTests()]);
});
afterEach(() => world.clear());
afterAll(async () => {
  await world.close();
  await simulator.close();
});

/** `started`: when each call was let go. */
function port(process: TestProcess, started: number[]): { stripe: StripePort; close(): void } {
  const adapter = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url });
  const noted = around(adapter, (_, call) => {
    started.push(Date.now());
    return call();
  });
  return { stripe: withFleet(noted, process.fleet), close: () => adapter.close() };
}

/** Calls of that kind one after another on each of `lines`, until told to stop. */
function demand(lines: number, until: () => boolean, call: (n: number) => Promise<StripeOutcome<unknown>>): Promise<string[]> {
  const line = async (_: unknown, index: number) => {
    const kinds: string[] = [];
    for (let n = 0; !until(); n += 1) kinds.push((await call(index * 1_000_000 + n)).kind);
    return kinds;
  };
  return Promise.all(Array.from({ length: lines }, line)).then((all) => all.flat());
}

const worstSecond = (times: readonly number[]): number =>
  Math.max(0, ...times.map((start) => times.filter((at) => at >= start && at < start + 1000).length));

/**
 * The most that arrived within one second above the limit. A machine that is busy holds calls up on their way and lets them through together; so the second is
 * stretched by what those who arrived in it took for the way, and on a quiet one by next to nothing. Times in milliseconds, in order.
 */
function mostAbove(started: readonly number[], arrived: readonly number[]): number {
  let most = -Infinity;
  for (const [first, begin] of arrived.entries())
    for (let last = first; (arrived[last] ?? Infinity) < begin + 1000; last += 1) {
      const stretched = Math.max(1000, arrived[last]! - started[first]!);
      most = Math.max(most, last - first + 1 - ((RATE * stretched) / 1000 + BURST));
    }
  return most;
}

describe('Three processes that want far more than the limit', () => {
  it('together start no more in any second than the rate and a quarter of it, use the rate up, and reads get their share', async () => {
    const started: number[] = [];
    const ports = [world.first, world.process(), world.process({ service: 'reconciliation' })].map((one) => port(one, started));
    const endsAt = Date.now() + SECONDS * 1000;
    const isOver = () => Date.now() >= endsAt;
    const order = { amount: 4200, currency: 'usd', captureMethod: 'automatic', allowRedirects: 'never', metadata: {} } as const;
    await Promise.all(
      ports.flatMap(({ stripe }, p) => [
        demand(20, isOver, (n) => stripe.createIntent(order, `limiter-${p}-${n}`)),
        demand(20, isOver, () => stripe.listIntents({ limit: 1 })),
      ]),
    );
    const requests = simulator.world.requests.all().map(({ method, at }) => ({ method, at: Date.parse(String(at)) }));
    const inTime = requests.filter(({ at }) => at < endsAt);
    expect(requests).toHaveLength(started.length);
    expect(worstSecond(started)).toBeLessThanOrEqual(RATE + BURST);
    const arrived = requests.map(({ at }) => at).toSorted((a, b) => a - b);
    expect(mostAbove(started, arrived)).toBeLessThanOrEqual(0);
    // Nothing of ours may hold calls up behind the limiter.
    const ways = arrived.map((at, i) => at - started[i]!).toSorted((a, b) => a - b);
    expect(ways[Math.floor(ways.length / 2)]).toBeLessThan(500);
    expect(inTime.length).toBeGreaterThan(RATE * SECONDS * 0.7);
    const reads = inTime.filter(({ method }) => method === 'GET').length / inTime.length;
    expect(reads).toBeGreaterThan(0.08);
    expect(reads).toBeLessThan(0.4);
    for (const one of ports) one.close();
  });
});

describe('At two requests a second', () => {
  it('reads are not kept out by writes that want all of them', async () => {
    await world.first.fleet.limiter.setRate(2);
    try {
      const granted = { write: 0, read: 0 };
      const endsAt = performance.now() + 4_000;
      const line = async (kind: 'write' | 'read', lateMs: number) => {
        while (performance.now() < endsAt) {
          const leased = await world.first.fleet.limiter.lease(kind, 1, 0);
          granted[kind] += leased.granted;
          if (leased.granted === 0) await new Promise((resolve) => setTimeout(resolve, leased.waitMs + lateMs));
        }
      };
      // Who comes a little later finds nothing left, unless it is remembered that he waits.
      await Promise.all([line('write', 0), line('read', 20)]);
      expect(granted.read).toBeGreaterThan(0);
      expect(granted.write).toBeGreaterThan(granted.read);
    } finally {
      await world.first.fleet.limiter.setRate(RATE);
    }
  });
});

describe('Reports of usage that want far more than the limit', () => {
  it('start no more than a quarter of the rate, over all processes, and use that up', async () => {
    const ms = 1_000;
    let started = 0;
    const endsAt = performance.now() + ms;
    const line = async ({ fleet }: TestProcess) => {
      while (performance.now() < endsAt)
        await fleet.run('createMeterEvent', () => {
          if (performance.now() < endsAt) started += 1;
          return Promise.resolve(OK);
        });
    };
    const processes = [world.first, world.process()];
    await Promise.all(processes.flatMap((one) => [line(one), line(one), line(one)]));
    expect(started).toBeLessThanOrEqual(((RATE / 4) * ms) / 1000 + 2);
    expect(started).toBeGreaterThan(((RATE / 4) * ms) / 1000 / 2);
  });
});

describe('Of two processes that want far more than the limit', () => {
  it('the one further from the database gets its share, too', async () => {
    const { limiter } = world.first.fleet;
    const lineOf = (distanceMs: number) =>
      new WaitingLine({
        lease: async (kind, want, ahead) => {
          await new Promise((resolve) => setTimeout(resolve, distanceMs));
          return limiter.lease(kind, want, ahead);
        },
        maxInFlight: 50,
        waitMs: 500,
        onError: () => undefined,
      });
    const lines = [lineOf(0), lineOf(8)];
    const endsAt = Date.now() + 2_500;
    const calls = await Promise.all(
      lines.map((line) =>
        demand(
          5,
          () => Date.now() >= endsAt,
          async () => {
            const turn = await line.turn('write');
            if (turn.granted) turn.done();
            return turn.granted ? OK : { kind: 'refused', retryAfterMs: 0 };
          },
        ),
      ),
    );
    for (const line of lines) line.stop();
    const [near, far] = calls.map((kinds) => kinds.filter((kind) => kind === 'ok').length);
    expect(far).toBeGreaterThan((near! + far!) * 0.05);
  });
});

describe('When the clock of the database is set back by an hour', () => {
  it('tokens flow on', async () => {
    await sql`UPDATE stripe_gateway.limiter SET tokens = 0, filled_at = clock_timestamp() + interval '1 hour'`.execute(world.db);
    await eventually(async () => expect((await world.first.call(OK)).kind).toBe('ok'), { timeoutMs: 5_000 });
  });
});

describe('A call that gets no turn', () => {
  it('is limited after a bounded wait, without having been made', async () => {
    const slow = world.process({ waitMs: 300 });
    await slow.fleet.limiter.drain({ reason: 'a drill', pauseMs: 2_000, halve: false });
    const calls = world.calls();
    expect(await slow.call(OK)).toMatchObject({ kind: 'limited', reason: OWN_LIMIT });
    expect(world.calls()).toBe(calls);
  });
});

describe('Calls that hang', () => {
  it('keep no more places than there are, and reads no more than half of them', async () => {
    const few = world.process({ maxInFlight: 4, waitMs: 1_500 });
    const ends: (() => void)[] = [];
    const hanging = () => new Promise<StripeOutcome<string>>((resolve) => ends.push(() => resolve(OK)));
    const reads = Array.from({ length: 4 }, () => few.fleet.run('retrieveIntent', hanging));
    await eventually(() =>
      expect(few.fleet.waitingAndInFlight()).toEqual({ waiting: { write: 0, read: 2 }, inFlight: { write: 0, read: 2 } }),
    );
    const writes = Array.from({ length: 4 }, () => few.fleet.run('cancelIntent', hanging));
    await eventually(() =>
      expect(few.fleet.waitingAndInFlight()).toEqual({ waiting: { write: 2, read: 2 }, inFlight: { write: 2, read: 2 } }),
    );
    const all = Promise.all([...reads, ...writes]);
    while (ends.length > 0 || few.fleet.waitingAndInFlight().waiting.write > 0) {
      ends.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const over = await eventually(async () => {
      for (const end of ends.splice(0)) end();
      const { inFlight, waiting } = few.fleet.waitingAndInFlight();
      expect(inFlight.read + inFlight.write + waiting.read + waiting.write).toBe(0);
      return all;
    });
    expect(over.every(({ kind }) => kind === 'ok' || kind === 'limited')).toBe(true);
  });
});
