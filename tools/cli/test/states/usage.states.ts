import { expect } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import type { MissingCounterView, StaleCounterView } from '@tidegate/contracts/usage';
import type { Given, State } from './state.js';

const HOUR = 3600;
let names = 0;

const use = ({ world, stripe }: Given) => {
  const meter = `calls_${(names += 1)}`;
  const now = async () => Date.parse(((await (await fetch(`${world.simulator.url}/__clock`)).json()) as { now: string }).now);
  return {
    meter,
    now,
    /** A meter of Stripe's that sums. */
    made: () => stripe('billing/meters', { display_name: meter, event_name: meter, 'default_aggregation[formula]': 'sum' }),
    customer: async () => (await world.post<{ id: string }>('/v1/customers', {})).id,
    /** An hour ago, so that the clocks of the processes may differ. */
    used: async (customer: string, value: string): Promise<Date> => {
      const at = new Date((await now()) - HOUR * 1000);
      const event = { id: `use-${meter}`, customer, meter, value, at: at.toISOString() };
      expect(await world.post('/v1/usage-events', { events: [event] })).toMatchObject({ accepted: 1 });
      return new Date(Math.floor(at.getTime() / 3_600_000) * 3_600_000);
    },
  };
};

const stale =
  (reason: StaleCounterView['reason']) =>
  ({ data }: { data: StaleCounterView[] }, id: string): void =>
    expect(data).toContainEqual(expect.objectContaining({ customer: id.split(' ')[0], reason }));

/** The last table: usage. */
export const USAGE: State[] = [
  {
    state: 'usage that Stripe does not take',
    enter: async (given) => {
      const usage = use(given);
      await usage.made();
      given.fault('reset_before', 'POST /v1/billing/meter_events');
      const customer = await usage.customer();
      await usage.used(customer, '2');
      given.advance(2 * HOUR);
      return customer;
    },
    metrics: [
      { name: 'usage_events_buffered', least: 1 },
      { name: 'usage_oldest_unreported_seconds', least: HOUR },
      { name: 'usage_reports_total', labels: { result: 'unanswered' }, more: 1 },
    ],
    commands: [{ line: 'usage stale-counters --older-than 1h', exit: 2, shows: stale('answer_missing') }],
  },
  {
    state: 'usage of customers whom nobody knows',
    enter: async (given) => {
      const customer = `cus_Nobody${Date.now()}`;
      await use(given).used(customer, '2');
      return customer;
    },
    metrics: [{ name: 'usage_events_parked', least: 1 }],
    commands: [
      {
        line: 'usage missing-counters',
        exit: 2,
        shows: ({ data }: { data: MissingCounterView[] }, customer) =>
          expect(data).toContainEqual(expect.objectContaining({ customer, reason: 'customer_unknown', events: 1, value: '2' })),
      },
    ],
  },
  {
    state: 'Stripe counts something else',
    enter: async (given) => {
      const usage = use(given);
      await usage.made();
      const customer = await usage.customer();
      // The identifier of the report is taken, as after a restore of our database.
      const at = new Date((await usage.now()) - HOUR * 1000);
      await given.stripe('billing/meter_events', {
        event_name: usage.meter,
        identifier: `use:${usage.meter}:${customer}:${at.toISOString().slice(0, 13)}:1`,
        timestamp: String(Math.floor(at.getTime() / 1000)),
        'payload[stripe_customer_id]': customer,
        'payload[value]': '30',
      });
      const hour = await usage.used(customer, '70');
      given.advance(60);
      await waitsFor(given, customer, 'summary');
      given.advance(HOUR + 60);
      await waitsFor(given, customer, 'disagreement');
      return `${customer} ${usage.meter} ${hour.toISOString()}`;
    },
    metrics: [{ name: 'usage_reports_total', labels: { result: 'unsettled' }, more: 1 }],
    lines: [{ event: 'usage_mismatch', fields: (id) => ({ customer: id.split(' ')[0], value: '70', counted: 30 }) }],
    commands: [
      { line: 'usage stale-counters --older-than 1h', exit: 2, shows: stale('disagreement') },
      {
        line: 'usage repair ID --reason …',
        shows: (value) => expect(value).toMatchObject({ done: true, result: { remote: '30', difference: '40' } }),
      },
    ],
  },
  {
    state: 'counters that nobody has compared',
    enter: async (given) => {
      const usage = use(given);
      await usage.made();
      const customer = await usage.customer();
      await usage.used(customer, '2');
      given.advance(60);
      await waitsFor(given, customer, null);
      given.advance(25 * HOUR);
      return customer;
    },
    metrics: [{ name: 'usage_counters_stale', least: 1 }],
    commands: [{ line: 'usage stale-counters', exit: 2, shows: stale('not_compared') }],
  },
];

/** Null: all is reported. */
async function waitsFor({ world }: Given, customer: string, reason: string | null): Promise<void> {
  await eventually(async () => {
    const rows = await world.query<{ waits_for: string | null; done: boolean }>(
      'select waits_for, due_at is null as done from payments.usage_counters where customer = $1',
      [customer],
    );
    expect(rows).toEqual([{ waits_for: reason, done: reason === null }]);
  });
}
