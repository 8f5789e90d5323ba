import { RPC } from '@tidegate/contracts/rpc/routes';
import { type RecordUsageView, type UsageView } from '@tidegate/contracts/usage';
import { usageWithin } from '@tidegate/stripe-simulator/meters/usage';
import { sql } from 'kysely';
import { agrees, textOf, unitsOf } from '../src/usage/decimal.js';
import { type PaymentsWorld, paymentsWorld, type WorldOptions } from './payments-world.js';

export interface Sent {
  id: string;
  customer: string;
  meter: string;
  value: string | number;
  at: string;
}

const HOUR_MS = 3_600_000;
let names = 0;

/** Payments with everything that usage needs around it. */
export async function usageWorld(options: WorldOptions = {}) {
  const world = await paymentsWorld(options);
  const { simulator, clock } = world;
  // In the middle of an hour, so that nothing falls into the next one by chance.
  world.advance(1.5 * HOUR_MS - (clock.now().getTime() % HOUR_MS));

  const record = async (events: readonly Partial<Sent>[], tenant = 'default', replica = 0): Promise<RecordUsageView> => {
    const whole = events.map((event) => ({ id: `use-${(names += 1)}`, value: 1, at: clock.now().toISOString(), ...event }));
    const reply = await world.send(RPC.usageRecord, { tenant, body: { events: whole } }, replica);
    if (reply.status !== 200) throw new Error(`Usage was answered ${reply.status}: ${reply.body}`);
    return world.json<RecordUsageView>(reply);
  };

  /** One pass after the other over what is due now, in every replica. */
  const reportDue = async (parts = world.replicas.map((one) => one.parts)): Promise<void> => {
    for (;;) {
      const taken = await Promise.all(parts.map((one) => one.reportUsageOnce()));
      if (taken.every((count) => count === 0)) return;
    }
  };

  const counters = async () => {
    const { rows } = await sql<{
      customer: string;
      meter: string;
      hour: Date;
      value: string;
      last_value: string;
      events: number;
      formula: string;
      due: boolean;
    }>`
      SELECT c.customer, c.meter, c.hour, c.value::text AS value, c.last_value::text AS last_value, c.events, m.formula, c.due_at IS NOT NULL AS due
      FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter ORDER BY c.hour, c.customer, c.meter`.execute(world.db);
    return rows;
  };

  /** What Stripe makes of the usage of a customer in an hour, from its own books. */
  const summary = (meter: string, customer: string, hour: Date): number => {
    const id = simulator.world.meters.by('event_name', meter)[0]?.id ?? '';
    const start = hour.getTime() / 1000;
    return usageWithin(simulator.world, id, customer, { start, end: start + 3600 });
  };

  return {
    ...world,
    record,
    reportDue,
    counters,
    summary,
    /** A meter of that formula; answers its event name. */
    meter: async (formula: 'sum' | 'count' | 'last' = 'sum'): Promise<string> => {
      const event_name = `meter_${(names += 1)}`;
      const made = { display_name: event_name, event_name, 'default_aggregation[formula]': formula };
      await world.stripe('billing/meters', made);
      return event_name;
    },
    customer: async (tenant = 'default'): Promise<string> =>
      world.json<{ id: string }>(await world.send(RPC.customerCreate, { tenant })).id,
    /** Time passes until all that is due within `maxMs` is reported; a busy machine may make a call too late, which is then tried again. */
    reported: async (maxMs = 10 * 60_000): Promise<void> => {
      const until = clock.now().getTime() + maxMs;
      for (;;) {
        // What the machine holds up must not look like time that passes.
        await Promise.all(world.replicas.map(({ parts }) => parts.fleet.refresh()));
        await reportDue();
        const { rows } = await sql<{ due: Date | null }>`SELECT min(due_at) AS due FROM usage_counters`.execute(world.db);
        const due = rows[0]?.due?.getTime();
        if (due === undefined || due > until) return;
        world.advance(Math.max(50, due - clock.now().getTime() + 1));
      }
    },
    usage: async (customer: string, query: Record<string, string> = {}, tenant = 'default'): Promise<UsageView[]> =>
      world.json<{ data: UsageView[] }>(await world.send(RPC.usageGet, { tenant, query: { customer, ...query } })).data,
    /** What Stripe took for a customer of a meter, in order. */
    taken: (meter: string, customer: string) =>
      simulator.world.meterEvents
        .all()
        .filter((one) => one.event.event_name === meter && one.customer === customer)
        .toSorted((a, b) => a.event.created - b.event.created || a.event.identifier.localeCompare(b.event.identifier)),
    /** Hours in which Stripe's books say something else than our counters. */
    differences: async (): Promise<string[]> => {
      return (await counters()).flatMap(({ customer, meter, hour, value, last_value, events, formula }) => {
        const ours = formula === 'count' ? String(events) : formula === 'last' ? last_value : value;
        const theirs = summary(meter, customer, hour);
        return agrees(unitsOf(ours), theirs)
          ? []
          : [`${meter} ${customer} ${hour.toISOString()}: ours ${textOf(unitsOf(ours))}, Stripe's ${theirs}`];
      });
    },
    /** Whoever holds a lease is gone. */
    vanish: () =>
      sql`UPDATE usage_counters SET lease_until = clock_timestamp() - interval '1 second' WHERE holder IS NOT NULL`.execute(world.db),
  };
}

export type UsageWorld = Awaited<ReturnType<typeof usageWorld>> & Pick<PaymentsWorld, 'db'>;
