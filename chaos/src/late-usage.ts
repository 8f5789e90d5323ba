import type { CustomerView, DiscrepancyView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { dayOf, reconcile } from './clean-runs.js';
import { tellUsage } from './tell-usage.js';

export interface LateUsage {
  /** What a run over the days of the invoices names. */
  rows: DiscrepancyView[];
  /** Of the customer whose usage was reported after his invoice was final. */
  late: { customer: string; meter: string; price: string };
}

const DAY_SECONDS = 86_400;
const DRAFT_SECONDS = 3_600;

/**
 * Two customers pay by the day for what they use, to the second of an hour's middle. Of one some usage is reported while his invoice is a draft, of the other after it
 * is final.
 */
export async function lateUsage(arena: Arena): Promise<LateUsage> {
  const began = await nowOf(arena);
  const [punctual, late] = [await subscribed(arena, 'punctual'), await subscribed(arena, 'late')];
  await arena.advance(DAY_SECONDS / 2);
  for (const [n, one] of [punctual, late].entries()) await use(arena, one, `${n}-day`, 10, began + 6 * 3600);
  await reported(arena);
  await arena.advance(DAY_SECONDS / 2 + 60);
  await use(arena, punctual, 'draft', 5, began + 3 * 3600);
  await reported(arena);
  await arena.advance(DRAFT_SECONDS + 60);
  await use(arena, late, 'final', 5, began + 3 * 3600);
  await reported(arena);
  // Summaries are believed an hour after the last report.
  await arena.advance(2 * DRAFT_SECONDS);
  await arena.settled(180_000);
  const { rows } = await reconcile(arena, { start_date: dayOf(began * 1000), end_date: dayOf((await nowOf(arena)) * 1000) });
  return { rows, late };
}

interface User {
  customer: string;
  meter: string;
  price: string;
}

async function subscribed(arena: Arena, name: string): Promise<User> {
  const made = await arena.client.send({ method: 'POST', path: '/v1/customers', body: {}, key: `late-usage-${name}-${process.pid}` });
  const { id: customer } = JSON.parse(made.body) as CustomerView;
  const meter = `${name}_${process.pid}`;
  const { id } = await arena.atStripe('/v1/billing/meters', {
    display_name: meter,
    event_name: meter,
    'default_aggregation[formula]': 'sum',
  });
  const { id: price } = await arena.atStripe('/v1/prices', {
    currency: 'usd',
    unit_amount: '10',
    'recurring[interval]': 'day',
    'recurring[usage_type]': 'metered',
    'recurring[meter]': id,
    'product_data[name]': name,
  });
  await arena.atStripe('/v1/subscriptions', {
    customer,
    'items[0][price]': price,
    collection_method: 'send_invoice',
    days_until_due: '30',
    'metadata[tenant_id]': 'default',
  });
  return { customer, meter, price };
}

async function use(arena: Arena, { customer, meter }: User, name: string, value: number, at: number): Promise<void> {
  await tellUsage(arena, [{ id: `late-usage-${process.pid}-${name}`, customer, meter, value, at: new Date(at * 1000).toISOString() }]);
}

async function reported(arena: Arena): Promise<void> {
  await eventually(
    async () => {
      await arena.advance(2);
      const [waiting] = await arena.sql<{ counters: number }>(
        'SELECT count(*)::int AS counters FROM payments.usage_counters WHERE due_at IS NOT NULL',
      );
      if (waiting?.counters !== 0) throw new Error(`${waiting?.counters} counters wait for their report`);
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
}

async function nowOf(arena: Arena): Promise<number> {
  const answer = await fetch(`${arena.stack.urls.simulator}/__clock`);
  return Math.floor(Date.parse(((await answer.json()) as { now: string }).now) / 1000);
}
