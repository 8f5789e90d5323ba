import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { FAILPOINTS, usageFailpoints } from '../src/failpoints.js';
import { rebuildUsageCounters } from '../src/usage/usage.rebuild.js';
import { type UsageWorld, usageWorld } from './usage-world.js';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
const METER_EVENTS = 'POST /v1/billing/meter_events';
const SUMMARIES = 'GET /v1/billing/meters/:id/event_summaries';

describe('When Stripe is away for two days', () => {
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld({ replicas: 2, breaker: { threshold: 3, ratio: 0.5, windowMs: 60_000, recoveryMs: 150 } });
  });
  afterAll(() => world?.close());

  it('usage is taken in and kept, late events, corrections and lost answers included, and Stripe’s summaries equal our counters to the unit', async () => {
    const { simulator } = world;
    const customers = await Promise.all(Array.from({ length: 3 }, () => world.customer()));
    const [sum, count] = [await world.meter(), await world.meter('count')];
    const at = (ms: number) => new Date(world.clock.now().getTime() - ms).toISOString();
    const use = (late = 0) =>
      world.record(
        customers.flatMap((customer, n) => [
          { customer, meter: sum, value: `${n + 1}.1`, at: at(late) },
          { customer, meter: count, value: 1, at: at(late) },
        ]),
      );
    await use();
    await world.reported();
    // The first calls have their effect, and nobody hears of it; then nothing gets through.
    simulator.addFault({ fault: 'reset_after', route: METER_EVENTS, times: 2 });
    await use();
    world.advance(11_000);
    await world.reportDue();
    simulator.clearFaults();
    for (const route of [METER_EVENTS, SUMMARIES]) simulator.addFault({ fault: 'reset_before', route, times: 0 });
    for (let hours = 0; hours < 48; hours += 6) {
      await use();
      await use(3 * 24 * HOUR_MS);
      await world.record([{ customer: customers[0] ?? '', meter: sum, value: '-0.7', at: at(HOUR_MS) }]);
      world.advance(6 * HOUR_MS);
      await world.reportDue();
    }
    expect((await world.metric('circuit_state', 'breaker_name="stripe_usage"'))[0]).toBe(1);
    expect((await world.metric('circuit_state', 'breaker_name="stripe"'))[0]).toBe(0);
    const [buffered] = await world.metric('usage_events_buffered');
    expect(buffered).toBeGreaterThan(90);
    const [oldest] = await world.metric('usage_oldest_unreported_seconds');
    expect(oldest).toBeGreaterThan(47 * 3600);

    simulator.clearFaults();
    await eventually(
      async () => {
        await world.reported(6 * HOUR_MS);
        expect(await world.metric('usage_events_buffered')).toEqual([0, 0]);
      },
      { timeoutMs: 20_000 },
    );
    expect(await world.differences()).toEqual([]);
    expect((await world.counters()).length).toBeGreaterThan(50);
  });

  it('and the counters can be filled again from what was sent and reported', async () => {
    const derived = () =>
      sql<object>`SELECT customer, meter, hour, tenant, value, events, last_value, last_at, sent, lost, settled_events, revision, due_at IS NULL AS done
        FROM usage_counters ORDER BY customer, meter, hour`.execute(world.db);
    const { rows: before } = await derived();
    expect(await rebuildUsageCounters(world.db, world.clock.now())).toBe(before.length);
    expect((await derived()).rows).toEqual(before);
  });
});

describe('A process that ends while it reports', () => {
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld();
  });
  afterAll(() => world?.close());

  it.each(usageFailpoints.filter((name) => !/record|released|customer/.test(name)))('at %s loses and doubles nothing', async (name) => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([
      { customer, meter, value: '1.5' },
      { customer, meter, value: '2' },
    ]);
    world.advance(11_000);
    const dying = world.start(failpointsFrom(`${name}:error:1`, FAILPOINTS, createLogger({ service: 'payments', level: 'silent' })));
    await dying.parts.reportUsageOnce().catch(() => undefined);
    // Whatever it held, it holds no longer; it is not asked again.
    world.replicas.pop();
    await world.vanish();
    await world.record([{ customer, meter, value: '-0.25' }]);
    await world.reported(60_000);
    expect(await world.usage(customer)).toMatchObject([{ value: '3.25', unreported: 0 }]);
    expect(await world.differences()).toEqual([]);
  });

  it.each(['payments.usage.record.before_commit', 'payments.usage.record.after_commit'])('or takes usage in, at %s, too', async (name) => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const dying = world.start(failpointsFrom(`${name}:error:1`, FAILPOINTS, createLogger({ service: 'payments', level: 'silent' })));
    const event = { id: `at ${name}`, customer, meter, value: 5, at: world.clock.now().toISOString() };
    await expect(world.record([event], 'default', world.replicas.indexOf(dying))).rejects.toThrow('503');
    world.replicas.pop();
    const again = await world.record([event]);
    expect(again.accepted + again.duplicate).toBe(1);
    expect(await world.usage(customer)).toMatchObject([{ value: '5', events: 1 }]);
  });
});

describe('A process that ends while it', () => {
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld();
  });
  afterAll(() => world?.close());

  /** A replica that fails there once; it is not asked again by `work` that is done with the others. */
  const dying = async (name: string, work: (replica: number) => Promise<unknown>): Promise<void> => {
    const hits: string[] = [];
    const armed = failpointsFrom(`${name}:error:1`, FAILPOINTS, createLogger({ service: 'payments', level: 'silent' }));
    world.start({
      hit: (point) => {
        hits.push(point);
        return armed.hit(point);
      },
    });
    await work(world.replicas.length - 1);
    expect(hits).toContain(name);
    world.replicas.pop();
    await world.vanish();
  };

  it.each([
    'payments.usage.customer.before_call',
    'payments.usage.customer.after_call',
    'payments.usage.released.before_commit',
    'payments.usage.released.after_commit',
  ])('counts the usage of a customer who was not known, at %s, has it counted once', async (name) => {
    const meter = await world.meter();
    const { id: customer } = (await world.stripe('customers', { 'metadata[tenant_id]': 'default' })) as { id: string };
    await world.record([
      { customer, meter, value: '1.5' },
      { customer, meter, value: '2' },
    ]);
    await dying(name, (replica) => world.replicas[replica]!.parts.settleUnknownCustomersOnce().catch(() => undefined));
    world.advance(HOUR_MS);
    await world.parts.settleUnknownCustomersOnce();
    await world.record([{ customer, meter, value: '-0.25' }]);
    await world.reported(60_000);
    expect(await world.usage(customer)).toMatchObject([{ value: '3.25', events: 3, unreported: 0 }]);
    expect(await world.metric('usage_events_parked')).toEqual([0]);
    expect(await world.differences()).toEqual([]);
  });

  it.each([
    'payments.usage.summary.before_call',
    'payments.usage.summary.after_call',
    'payments.usage.repaired.before_commit',
    'payments.usage.repaired.after_commit',
  ])('puts an hour right, at %s, has what Stripe lacks reported once', async (name) => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    const at = new Date(world.clock.now().getTime() - HOUR_MS).toISOString();
    await world.record([{ customer, meter, value: '12.5', at }]);
    await world.reported(60_000);
    world.advance(2 * HOUR_MS);
    const [taken] = world.taken(meter, customer);
    const cancel = { event_name: meter, type: 'cancel', 'cancel[identifier]': taken?.identifier ?? '' };
    await world.stripe('billing/meter_event_adjustments', cancel);
    const body = { customer, meter, hour: `${at.slice(0, 13)}:00:00.000Z`, reason: name };
    await dying(name, async (replica) => expect((await world.send(RPC.usageRepair, { body }, replica)).status).toBe(503));
    await world.send(RPC.usageRepair, { body });
    await world.reported(60_000);
    // Whoever asked and got no answer asks once more.
    expect((await world.send(RPC.usageRepair, { body })).status).toBe(200);
    await world.reported(60_000);
    expect(await world.differences()).toEqual([]);
    const { rows } = await sql`SELECT FROM operator_actions WHERE reason = ${name}`.execute(world.db);
    expect(rows).toHaveLength(1);
  });
});

/** A replica that stands still there, until it is told to go on. */
function stopsAt(world: UsageWorld, point: string) {
  const [reached, goOn] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const { parts } = world.start({
    hit: async (name) => {
      if (name !== point) return;
      reached.resolve(undefined);
      await goOn.promise;
    },
  });
  return { parts, reached: reached.promise, goOn: () => goOn.resolve(undefined) };
}

describe('A process that was stopped in the middle of a call', () => {
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld();
  });
  afterAll(() => world?.close());

  const stopsAfterCall = () => stopsAt(world, 'payments.usage.report.after_call');

  it('and goes on when another one has its counter does not say of the other one’s call that it had no effect', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: '-7.5' }]);
    world.advance(11_000);
    const stopped = stopsAfterCall();
    world.simulator.addFault({ fault: 'rate_limit', route: METER_EVENTS });
    const pass = stopped.parts.reportUsageOnce();
    await stopped.reached;
    await world.vanish();
    world.simulator.addFault({ fault: 'reset_after', route: METER_EVENTS });
    await world.replicas[0]?.parts.reportUsageOnce();
    stopped.goOn();
    await pass;
    world.replicas.pop();
    world.advance(26 * HOUR_MS);
    await world.reported(4 * HOUR_MS);
    expect(world.taken(meter, customer)).toHaveLength(1);
    expect(await world.differences()).toEqual([]);
  });

  it('and goes on when another one has left it to the summary does not have it sent again', async () => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: 3 }]);
    world.advance(11_000);
    const stopped = stopsAfterCall();
    world.simulator.addFault({ fault: 'reset_before', route: METER_EVENTS });
    const pass = stopped.parts.reportUsageOnce();
    await stopped.reached;
    await world.vanish();
    world.advance(24 * HOUR_MS);
    await world.stripe('billing/meter_events', {
      event_name: meter,
      'payload[stripe_customer_id]': customer,
      'payload[value]': '50',
      timestamp: String(Math.floor(world.clock.now().getTime() / 1000) - 24 * 3600),
    });
    await world.replicas[0]?.parts.reportUsageOnce();
    stopped.goOn();
    await pass;
    world.replicas.pop();
    const { rows } = await sql`SELECT state FROM usage_reports WHERE customer = ${customer}`.execute(world.db);
    expect(rows).toEqual([{ state: 'settling' }]);
  });

  it('counts what another one has ended meanwhile only once', async () => {
    const delivered = async () =>
      (await world.metric('usage_reports_total', 'result="delivered"')).reduce<number>((sum, one) => sum + (one ?? 0), 0);
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: 3 }]);
    world.advance(11_000);
    const stopped = stopsAfterCall();
    const before = await delivered();
    const pass = stopped.parts.reportUsageOnce();
    await stopped.reached;
    await world.vanish();
    await world.replicas[0]?.parts.reportUsageOnce();
    stopped.goOn();
    await pass;
    expect((await delivered()) - before).toBe(1);
    world.replicas.pop();
    expect(world.taken(meter, customer)).toHaveLength(1);
  });
});

describe('A process that was stopped between its decision to call and the call', () => {
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld();
  });
  afterAll(() => world?.close());

  it.each([
    { fault: 'reset_before', why: 'another one has learnt that nothing came of the call before, and has reported it anew' },
    { fault: 'reset_after', why: 'Stripe has forgotten the call before, which had no answer' },
  ] as const)('makes none when its lease is over: $why', async ({ fault }) => {
    const [customer, meter] = [await world.customer(), await world.meter()];
    await world.record([{ customer, meter, value: 3 }]);
    world.advance(11_000);
    world.simulator.addFault({ fault, route: METER_EVENTS });
    await world.reportDue();
    world.advance(22 * HOUR_MS);
    const stopped = stopsAt(world, 'payments.usage.report.before_call');
    const pass = stopped.parts.reportUsageOnce();
    await stopped.reached;
    world.replicas.pop();
    await world.vanish();
    world.advance(3 * HOUR_MS);
    if (fault === 'reset_before') await world.reported();
    stopped.goOn();
    await pass;
    await world.reported();
    expect(world.taken(meter, customer)).toHaveLength(1);
    expect(await world.usage(customer)).toMatchObject([{ value: '3', unreported: 0 }]);
    expect(await world.differences()).toEqual([]);
  });
});

describe('Whatever happens to the calls, in any order', () => {
  const SEED = Number(process.env['TIDEGATE_SEED'] ?? 6);
  let world: UsageWorld;
  beforeAll(async () => {
    world = await usageWorld({ replicas: 3, deadlineMs: 150 });
  });
  afterAll(() => world?.close());

  it(`Stripe's summaries equal our counters in the end (seed ${SEED})`, async () => {
    let state = SEED;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    const customers = await Promise.all(Array.from({ length: 3 }, () => world.customer()));
    const meters = [await world.meter(), await world.meter(), await world.meter('count'), await world.meter('last')];
    for (let round = 0; round < 30; round += 1) {
      world.simulator.clearFaults();
      if (random(3) > 0) {
        const fault = pick(['reset_before', 'reset_after', 'error_500_before', 'error_500_after', 'rate_limit', 'error_503'] as const);
        world.simulator.addFault({ fault, route: pick([METER_EVENTS, METER_EVENTS, SUMMARIES]), times: random(8) });
      }
      await Promise.all(
        Array.from({ length: 1 + random(3) }, (_, replica) =>
          world.record(
            Array.from({ length: 1 + random(5) }, () => ({
              customer: pick(customers),
              meter: pick(meters),
              value: `${random(5) === 0 ? '-' : ''}${random(1000)}.${random(1000)}`,
              at: new Date(world.clock.now().getTime() - random(3) * random(6 * HOUR_MS)).toISOString(),
            })),
            'default',
            replica,
          ),
        ),
      );
      const passes = world.replicas.map(({ parts }) => parts.reportUsageOnce());
      if (random(4) === 0) await world.vanish();
      await Promise.all(passes);
      world.advance(pick([1_000, 11_000, 60_000, HOUR_MS, 9 * HOUR_MS, 26 * HOUR_MS]));
    }
    world.simulator.clearFaults();
    await world.vanish();
    await world.reported(4 * HOUR_MS);
    expect(await world.metric('usage_events_buffered')).toEqual([0, 0, 0]);
    expect(await world.differences()).toEqual([]);
    expect((await world.counters()).length).toBeGreaterThan(100);
  });
});
