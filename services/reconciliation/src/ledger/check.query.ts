import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { type Imbalance, type Movement, notAsRecorded, notCleared, type PostedMovement, unbalanced } from './check.decide.js';
import { feeStream } from './fee.events.js';
import { FEE_RECORDED } from './ledger.store.js';

type Db = Kysely<ReconciliationTables>;

/** A tenant's, or (null) of all, of a period in Unix seconds, `gte` <= t < `lt`. */
export interface LedgerScope {
  tenant: string | null;
  period: { gte: number; lt: number };
}

/** Of the scope, by the column that says when. */
const within = (column: string, { tenant, period: { gte, lt } }: LedgerScope): RawBuilder<unknown> =>
  sql`${sql.ref(column)} >= to_timestamp(${gte}::float8) AND ${sql.ref(column)} < to_timestamp(${lt}::float8)
    ${tenant === null ? sql`` : sql`AND tenant = ${tenant}`}`;

/** One side may be told much later than the other, such as a webhook that Stripe delivers again. */
const QUIET_HOURS = 1;
const quietSince = (now: Date) => sql`${now}::timestamptz - make_interval(hours => ${QUIET_HOURS})`;

/** Transactions of the period whose entries do not sum to zero in a currency. */
export async function unbalancedTransactions(db: Db, scope: LedgerScope): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof unbalanced>[0]>`
    SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, min(occurred_at) AS made_at, currency, sum(amount)::bigint AS off
    FROM ledger_entries WHERE ${within('occurred_at', scope)}
    GROUP BY transaction_id, currency HAVING sum(amount) <> 0 ORDER BY transaction_id, currency`.execute(db);
  return rows.map(unbalanced);
}

/**
 * Payments made in the period that were not posted with what is recorded of them. Both are written by one transaction; what was recorded otherwise, ahead of
 * its event, is posted when that comes.
 */
export async function disagreeingPayments(db: Db, scope: LedgerScope, now: Date): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof notAsRecorded>[0]>`
    SELECT p.payment_id, p.tenant, p.created_at AS made_at, p.stripe_payment_intent, p.currency, p.amount_captured AS captured, p.amount_refunded AS refunded,
      l.sales, l.refunds
    FROM recorded_payments p LEFT JOIN ledger_payments u USING (payment_id) CROSS JOIN LATERAL (
      SELECT coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0)::bigint AS sales, coalesce(sum(amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunds
      FROM ledger_entries e WHERE e.payment_id = p.payment_id AND e.event <> ${sql.lit(FEE_RECORDED)} AND e.currency = p.currency) l
    WHERE ${within('p.created_at', scope)} AND (l.sales, l.refunds) IS DISTINCT FROM (p.amount_captured, p.amount_refunded)
      AND ((u.epoch, u.version) IS NOT DISTINCT FROM (p.epoch, p.version) OR p.updated_at < ${quietSince(now)})
    ORDER BY p.payment_id`.execute(db);
  return rows.map(notAsRecorded);
}

/** What payments and Stripe's balance have both told of, and not alike, for an hour by now. */
export async function disagreeingClearing(db: Db, scope: LedgerScope, now: Date): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof notCleared>[0]>`
    WITH touched AS (SELECT DISTINCT reference FROM ledger_entries WHERE account = 'stripe_clearing' AND ${within('occurred_at', scope)})
    SELECT c.reference, max(c.tenant) AS tenant, max(c.payment_id) AS payment_id, min(c.occurred_at) AS made_at, c.currency,
      coalesce(sum(c.amount) FILTER (WHERE c.event <> ${sql.lit(FEE_RECORDED)}), 0)::bigint AS told,
      coalesce(-sum(c.amount) FILTER (WHERE c.event = ${sql.lit(FEE_RECORDED)}), 0)::bigint AS moved
    FROM touched JOIN ledger_entries c ON c.reference = touched.reference AND c.account = 'stripe_clearing'
    GROUP BY c.reference, c.currency
    HAVING sum(c.amount) <> 0 AND count(DISTINCT c.event = ${sql.lit(FEE_RECORDED)}) = 2 AND max(c.occurred_at) < ${quietSince(now)}
    ORDER BY c.reference, c.currency`.execute(db);
  return rows.map(notCleared);
}

const posted = (where: RawBuilder<unknown>) => sql<PostedMovement>`
  SELECT p.*, coalesce((SELECT (e.data->>'net')::bigint = p.net FROM events e WHERE e.stream = ${feeStream('')} || p.transaction_id AND e.version = 1), false) AS as_recorded
  FROM (
    SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, min(occurred_at) AS made_at,
      max(currency) FILTER (WHERE account = 'stripe_balance') AS currency,
      coalesce(sum(amount) FILTER (WHERE account = 'stripe_balance'), 0)::bigint AS net,
      coalesce(sum(amount) FILTER (WHERE account = 'stripe_fees'), 0)::bigint AS fee
    FROM ledger_entries WHERE ${where} GROUP BY transaction_id) p
  ORDER BY p.transaction_id`;

/** What these balance transactions were posted with, by id. */
export async function postedOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, PostedMovement>> {
  const { rows } = await posted(sql`transaction_id = ANY(${ids}::text[])`).execute(db);
  return new Map(rows.map((row) => [row.transaction_id, row]));
}

/** Balance transactions of the period that are posted, and are none of these. */
export async function postedOthers(db: Db, scope: LedgerScope, ids: readonly string[]): Promise<PostedMovement[]> {
  const others = sql`event = ${sql.lit(FEE_RECORDED)} AND ${within('occurred_at', scope)} AND transaction_id <> ALL(${ids}::text[])`;
  return (await posted(others).execute(db)).rows;
}

/** The events of those of these balance transactions that are recorded. */
export async function recordedFees(db: Db, ids: readonly string[]): Promise<Movement[]> {
  const { rows } = await sql<{
    data: Movement;
  }>`SELECT data FROM events WHERE stream = ANY(${ids.map(feeStream)}::text[]) AND version = 1`.execute(db);
  return rows.map(({ data }) => data);
}

/** Up to when the balance has been read, in Unix seconds; 0 before the first pass ended. */
export async function sweptTo(db: Db): Promise<number> {
  const { read_to: readTo } = await db.selectFrom('balance_sweep').select('read_to').executeTakeFirstOrThrow();
  return readTo === null ? 0 : Math.floor(readTo.getTime() / 1000);
}
