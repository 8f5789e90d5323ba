import { type UsageView } from '@tidegate/contracts/usage';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

export interface UsageQuery {
  tenant: string;
  customer: string;
  meter?: string | undefined;
  /** Full hours, `to` exclusive. */
  from: Date;
  to: Date;
}

interface Row {
  meter: string;
  formula: UsageView['aggregation'];
  value: string;
  events: number;
  unreported: number;
}

/** What a customer has used of each meter in a period. */
export async function usageOf(db: Kysely<PaymentsTables>, { tenant, customer, meter, from, to }: UsageQuery): Promise<Row[]> {
  const { rows } = await sql<Row>`
    SELECT c.meter, m.formula, sum(c.events)::int AS events, sum(c.events - c.settled_events)::int AS unreported,
      CASE m.formula WHEN 'count' THEN sum(c.events)::text
        WHEN 'last' THEN trim_scale((array_agg(c.last_value ORDER BY c.last_at DESC))[1])::text
        ELSE trim_scale(sum(c.value))::text END AS value
    FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter
    WHERE c.tenant = ${tenant} AND c.customer = ${customer} AND c.hour >= ${from} AND c.hour < ${to}
      ${meter === undefined ? sql`` : sql`AND c.meter = ${meter}`}
    GROUP BY c.meter, m.formula ORDER BY c.meter`.execute(db);
  return rows;
}
