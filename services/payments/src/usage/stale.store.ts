import { type Kysely, type RawBuilder, sql } from 'kysely';
import { OLDEST_USAGE_MS } from '@tidegate/contracts/usage';
import { type PaymentsTables } from '../tables.js';

type Db = Kysely<PaymentsTables>;

/** Of the time in which usage can still be billed: what it holds was not confirmed, though it has had this long for it. */
const stale = (now: Date, olderThanMs: number) => {
  const before = new Date(now.getTime() - olderThanMs);
  return sql`c.hour >= ${new Date(now.getTime() - OLDEST_USAGE_MS)} AND c.updated_at <= ${before} AND c.unconfirmed
    AND (c.last_reconciled_at IS NULL OR c.last_reconciled_at < c.updated_at)`;
};

const MOST_COUNTED = 10_000;

export async function staleCount(db: Db, now: Date, olderThanMs: number): Promise<number> {
  const { rows } = await countingStale(now, olderThanMs).execute(db);
  return rows[0]?.count ?? 0;
}

/** The statement by itself, for whoever wants to know how it is carried out. */
export const countingStale = (now: Date, olderThanMs: number): RawBuilder<{ count: number }> => sql`
  SELECT count(*)::int AS count FROM (SELECT FROM usage_counters c WHERE ${stale(now, olderThanMs)} LIMIT ${MOST_COUNTED}) AS found`;

export interface StaleRow {
  tenant: string;
  customer: string;
  meter: string;
  hour: Date;
  value: string;
  unreported: number;
  waits_for: string | null;
  is_due: boolean;
  lost: boolean;
  unreported_since: Date | null;
  last_reconciled_at: Date | null;
}

export interface UsageCursor {
  hour: Date;
  customer: string;
  meter: string;
}

/** For so long the operators are told of usage that got too old. */
const EXPIRED_SHOWN_MS = 2 * OLDEST_USAGE_MS;

export interface StaleQuery {
  now: Date;
  olderThanMs: number;
  after: UsageCursor | null;
  limit: number;
}

/** Counters that are stale, those whose usage has waited for its report as long, and those of which some got too old to be billed; oldest hour first. */
export async function staleCounters(db: Db, query: StaleQuery): Promise<StaleRow[]> {
  return (await listingStale(query).execute(db)).rows;
}

/** The statement by itself. Each reason is looked for along an index of its own. */
export function listingStale({ now, olderThanMs, after, limit }: StaleQuery): RawBuilder<StaleRow> {
  const waiting = sql`c.due_at IS NOT NULL AND c.unreported_since <= ${new Date(now.getTime() - olderThanMs)}`;
  const expired = sql`c.lost <> 0 AND c.hour >= ${new Date(now.getTime() - EXPIRED_SHOWN_MS)}`;
  const place = after ? sql`AND (c.hour, c.customer, c.meter) > (${after.hour}, ${after.customer}, ${after.meter})` : sql``;
  const found = (condition: RawBuilder<unknown>) =>
    sql`SELECT c.hour, c.customer, c.meter FROM usage_counters c WHERE ${condition} ${place}`;
  const page = (source: RawBuilder<unknown>) => sql`(${source} ORDER BY hour, customer, meter LIMIT ${limit})`;
  return sql`
    SELECT c.tenant, c.customer, c.meter, c.hour, trim_scale(c.value)::text AS value, c.events - c.settled_events AS unreported, c.waits_for,
      c.due_at IS NOT NULL AS is_due, c.lost <> 0 AS lost, c.unreported_since, c.last_reconciled_at
    -- OFFSET 0: all that is due is read and put in order, which is less than all hours in their order until enough of them are due.
    FROM (
      ${page(found(stale(now, olderThanMs)))} UNION ${page(found(expired))} UNION ${page(sql`SELECT * FROM (${found(waiting)} OFFSET 0) AS due`)}
    ) AS found JOIN usage_counters c USING (hour, customer, meter)
    ORDER BY c.hour, c.customer, c.meter LIMIT ${limit}`;
}

export interface MissingRow {
  tenant: string;
  customer: string;
  meter: string;
  events: number;
  value: string;
  first_at: Date;
  since: Date;
  attempt: number;
}

/** Usage that is in no counter, because its customer is not known; by customer and meter. `after`: customer, meter and tenant of the row before. */
export async function missingCounters(db: Db, { after, limit }: { after: readonly string[] | null; limit: number }): Promise<MissingRow[]> {
  const { rows } = await sql<MissingRow>`
    SELECT e.tenant, e.customer, e.meter, count(*)::int AS events, trim_scale(sum(e.value))::text AS value, min(e.at) AS first_at,
      min(e.received_at) AS since, coalesce(max(u.attempt), 0) AS attempt
    FROM usage_events e LEFT JOIN usage_unknown_customers u ON (u.tenant, u.customer) = (e.tenant, e.customer)
    WHERE e.counted_at IS NULL ${after ? sql`AND (e.customer, e.meter, e.tenant) > (${after[0]}, ${after[1]}, ${after[2]})` : sql``}
    GROUP BY e.tenant, e.customer, e.meter ORDER BY e.customer, e.meter, e.tenant LIMIT ${limit}`.execute(db);
  return rows;
}
