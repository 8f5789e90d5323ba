import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Usage } from './usage-event.decide.js';

type Db = Kysely<PaymentsTables>;

/** Whose a customer is: this tenant's, somebody else's (or erased), or nobody knows yet. */
export type Ownership = 'own' | 'not' | 'unknown';

/** Whose the customers of these events are, as far as it is known here; in the order of the events. */
export async function ownersOf(db: Db, events: readonly Pick<Usage, 'tenant' | 'customer'>[]): Promise<Ownership[]> {
  const customers = [...new Set(events.map(({ customer }) => customer))];
  const { rows } = await sql<{ customer: string; tenant: string; active: boolean }>`
    SELECT stripe_customer AS customer, tenant, status = 'active' AS active FROM customers WHERE stripe_customer = ANY(${customers}::text[])
    UNION ALL
    SELECT customer, tenant, true FROM usage_customers f WHERE customer = ANY(${customers}::text[])
      AND NOT EXISTS (SELECT FROM customers c WHERE c.stripe_customer = f.customer)`.execute(db);
  const known = new Map(rows.map((row) => [row.customer, row]));
  return events.map(({ tenant, customer }) => {
    const owner = known.get(customer);
    if (!owner) return 'unknown';
    return owner.active && owner.tenant === tenant ? 'own' : 'not';
  });
}

/**
 * Stores events and counts those whose customer is known, in one statement, which is a transaction: `parked` ones wait. Answers which are new, as `tenant` and
 * `id`; the others were there before. Of several with one id the first is stored. Rows are locked in the order of their keys, events before counters, so that no two batches wait for each other.
 */
export async function insertUsage(
  db: Db,
  events: readonly (Usage & { parked: boolean })[],
  { now, dueAt }: { now: Date; dueAt: Date },
): Promise<Set<string>> {
  const column = <T>(of: (event: Usage & { parked: boolean }) => T): T[] => events.map(of);
  const { rows } = await sql<{ tenant: string; id: string }>`
    WITH incoming AS (
      SELECT * FROM unnest(${column((e) => e.tenant)}::text[], ${column((e) => e.id)}::text[], ${column((e) => e.customer)}::text[],
        ${column((e) => e.meter)}::text[], ${column((e) => e.value)}::numeric[], ${column((e) => e.at.toISOString())}::timestamptz[],
        ${column((e) => e.hour.toISOString())}::timestamptz[], ${column((e) => e.parked)}::boolean[])
        WITH ORDINALITY AS i(tenant, id, customer, meter, value, at, hour, parked, nth)
    ), fresh AS (
      INSERT INTO usage_events (tenant, id, customer, meter, value, at, hour, received_at, counted_at)
      SELECT tenant, id, customer, meter, value, at, hour, ${now}::timestamptz, CASE WHEN parked THEN NULL ELSE ${now}::timestamptz END
      FROM incoming ORDER BY tenant, id, nth
      ON CONFLICT (tenant, id) DO NOTHING
      RETURNING tenant, id, customer, meter, value, at, hour, received_at, counted_at
    ), counted AS (
      ${counting(sql`(SELECT * FROM fresh WHERE counted_at IS NOT NULL) AS counted`, { now, dueAt })}
    ), unknown AS (
      INSERT INTO usage_unknown_customers AS u (tenant, customer, since, due_at)
      SELECT DISTINCT tenant, customer, ${now}::timestamptz, ${now}::timestamptz FROM fresh WHERE counted_at IS NULL ORDER BY tenant, customer
      -- Locks the row, so that whoever counts what is parked sees these events, or leaves the row.
      ON CONFLICT (tenant, customer) DO UPDATE SET due_at = CASE WHEN u.due_at = 'infinity' THEN excluded.due_at ELSE u.due_at END
    )
    SELECT tenant, id FROM fresh`.execute(db);
  return new Set(rows.map(nameOf));
}

export const nameOf = ({ tenant, id }: { tenant: string; id: string }): string => `${tenant} ${id}`;

/** Of events whose ids were there before: the places of those that say something else than what is stored. */
export async function differing(db: Db, events: readonly Usage[]): Promise<number[]> {
  if (events.length === 0) return [];
  const { rows } = await sql<{ nth: number }>`
    SELECT i.nth::int - 1 AS nth
    FROM unnest(${events.map((e) => e.tenant)}::text[], ${events.map((e) => e.id)}::text[], ${events.map((e) => e.customer)}::text[],
      ${events.map((e) => e.meter)}::text[], ${events.map((e) => e.value)}::numeric[], ${events.map((e) => e.at.toISOString())}::timestamptz[])
      WITH ORDINALITY AS i(tenant, id, customer, meter, value, at, nth)
    JOIN usage_events e USING (tenant, id)
    WHERE (e.customer, e.meter, e.value, e.at) IS DISTINCT FROM (i.customer, i.meter, i.value, i.at)`.execute(db);
  return rows.map(({ nth }) => nth);
}

/** Of rows of `usage_events`, the latest first; they are reported the other way round. */
export const LATEST_FIRST = sql`date_trunc('second', at) DESC, counted_at DESC, received_at DESC, id DESC`;

/**
 * Adds rows of usage to their counters, which are then due at `dueAt` unless they are due already. Stripe's time is in seconds: of two in one second the one that was counted
 * later is the latest, in the order in which they are reported, whichever statement comes first.
 */
function counting(source: RawBuilder<unknown>, { now, dueAt }: { now: Date; dueAt: Date }): RawBuilder<unknown> {
  const isLatest = sql`(date_trunc('second', excluded.last_at), excluded.last_counted_at, excluded.last_id)
    > (date_trunc('second', c.last_at), coalesce(c.last_counted_at, '-infinity'), coalesce(c.last_id, ''))`;
  return sql`
    INSERT INTO usage_counters AS c (customer, meter, hour, tenant, value, events, last_value, last_at, last_counted_at, last_id, unreported_since, due_at, updated_at)
    SELECT customer, meter, hour, tenant, sum(value), count(*), (array_agg(value ORDER BY ${LATEST_FIRST}))[1], max(at), ${now}::timestamptz,
      (array_agg(id ORDER BY ${LATEST_FIRST}))[1], ${now}::timestamptz, ${dueAt}::timestamptz, ${now}::timestamptz
    FROM ${source} GROUP BY customer, meter, hour, tenant ORDER BY customer, meter, hour
    ON CONFLICT (customer, meter, hour) DO UPDATE SET
      value = c.value + excluded.value, events = c.events + excluded.events,
      last_value = CASE WHEN ${isLatest} THEN excluded.last_value ELSE c.last_value END,
      last_counted_at = CASE WHEN ${isLatest} THEN excluded.last_counted_at ELSE c.last_counted_at END,
      last_id = CASE WHEN ${isLatest} THEN excluded.last_id ELSE c.last_id END,
      last_at = greatest(c.last_at, excluded.last_at),
      unreported_since = coalesce(c.unreported_since, excluded.unreported_since), due_at = coalesce(c.due_at, excluded.due_at),
      updated_at = excluded.updated_at, unconfirmed = true`;
}

/** Counted in one transaction at most, which has to end long before the database ends a statement. */
export const MOST_RELEASED = 5000;

/**
 * Counts some of what is parked of a customer who is known by now, in any order; answers how many events, and whether some may be left. The row that says that he is
 * not known is taken first and goes with the last of them: who parks another event at this moment either waits for this transaction or is waited for.
 */
export async function countParked(
  tx: Transaction<PaymentsTables>,
  { tenant, customer }: { tenant: string; customer: string },
  times: { now: Date; dueAt: Date },
): Promise<{ events: number; more: boolean }> {
  const { rows: unknown } = await sql`
    SELECT FROM usage_unknown_customers WHERE tenant = ${tenant} AND customer = ${customer} FOR UPDATE`.execute(tx);
  // Another process has counted all: a row that comes from now on is of what was parked since.
  if (unknown.length === 0) return { events: 0, more: false };
  // Who was erased since he became known is nobody's any more: what is parked of him stays so, and nobody is asked about him.
  const isKnown = sql`(EXISTS (SELECT FROM customers WHERE stripe_customer = ${customer} AND tenant = ${tenant} AND status = 'active')
    OR EXISTS (SELECT FROM usage_customers WHERE customer = ${customer} AND tenant = ${tenant}))`;
  // By place, not by name: until the table has been analyzed, a join by name can read each parked row for each other one.
  const { rows } = await sql<{ events: number }>`
    WITH released AS (
      UPDATE usage_events SET counted_at = ${times.now} WHERE counted_at IS NULL AND ctid = ANY (ARRAY (
        SELECT ctid FROM usage_events WHERE tenant = ${tenant} AND customer = ${customer} AND counted_at IS NULL AND ${isKnown} LIMIT ${MOST_RELEASED}))
      RETURNING tenant, id, customer, meter, value, at, hour, received_at, counted_at
    ), counted AS (${counting(sql`released`, times)})
    SELECT count(*)::int AS events FROM released`.execute(tx);
  const events = rows[0]?.events ?? 0;
  const more = events === MOST_RELEASED;
  if (!more) await sql`DELETE FROM usage_unknown_customers WHERE tenant = ${tenant} AND customer = ${customer}`.execute(tx);
  return { events, more };
}
