import type { CustomerView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { type Provocation } from './provocation.js';
import { type Random } from './seed.js';

/** What must happen before these failpoints of usage are reached. */
export const USAGE_PROVOCATIONS: readonly [RegExp, Provocation][] = [
  [/^payments\.usage\.(customer|released)\./, usageOfAStranger],
  [/^payments\.usage\.(summary|repaired)\./, repairAnHour],
  [/^payments\.usage\./, async (arena, random) => void (await useSomething(arena, random))],
];

/** Longer than USAGE_REPORT_SECONDS. */
const REPORTED_AFTER_SECONDS = 15;
/** A summary lags behind its reports for so long that nobody may repair by it. */
const SUMMARY_AFTER_SECONDS = 7_200;

/** Somebody uses something, and it is time to report it. */
async function useSomething(arena: Arena, random: Random): Promise<string> {
  const { body } = await arena.client.send({
    method: 'POST',
    path: '/v1/customers',
    body: { name: 'Ada Payer' },
    key: `user-${random.below(2 ** 31)}`,
  });
  const { id } = JSON.parse(body) as CustomerView;
  await record(arena, random, id);
  return id;
}

/** A customer whom only Stripe knows to be ours. */
async function usageOfAStranger(arena: Arena, random: Random): Promise<void> {
  const { id } = await arena.atStripe('/v1/customers', { 'metadata[tenant_id]': 'default' });
  await record(arena, random, id);
}

/** An operator has an hour reported anew by what Stripe's summary says. */
async function repairAnHour(arena: Arena, random: Random): Promise<void> {
  const customer = await useSomething(arena, random);
  const [counter] = await eventually(async () => {
    const rows = await arena.sql<{ meter: string; hour: Date }>(
      `SELECT meter, hour FROM payments.usage_reports WHERE customer = $1 AND state = 'delivered'`,
      [customer],
    );
    if (rows.length === 0) throw new Error('Not reported yet');
    return rows;
  });
  await arena.advance(SUMMARY_AFTER_SECONDS);
  const { meter, hour } = counter!;
  const body = { customer, meter, hour: hour.toISOString(), reason: 'chaos: an hour is reported anew' };
  // It is refused until the service has heard what time it is.
  await eventually(async () => {
    const { status } = await arena.client.send({ method: 'POST', path: '/v1/ops/usage/repair', body });
    if (status !== 200) throw new Error(`Answered ${status}`);
  });
}

async function record(arena: Arena, random: Random, customer: string): Promise<void> {
  const meter = `chaos_${random.below(2 ** 31)}`;
  await arena.atStripe('/v1/billing/meters', { display_name: meter, event_name: meter, 'default_aggregation[formula]': 'sum' });
  const event = { id: `use-${meter}`, customer, meter, value: '1.5', at: new Date().toISOString() };
  await arena.client.send({ method: 'POST', path: '/v1/usage-events', body: { events: [event] } });
  await arena.advance(REPORTED_AFTER_SECONDS);
}
