import { type RawBuilder, sql } from 'kysely';
import type { CompareDb, UnseenQuery } from '../compare/kind.js';
import { ofPeriod } from '../compare/matched.js';
import type { Misposted, PostedMovement, Unbalanced, Uncleared } from './check.decide.js';
import { FEE_RECORDED } from './ledger.store.js';

const during = ({ period: { gte, lt } }: UnseenQuery): RawBuilder<unknown> =>
  sql`occurred_at >= to_timestamp(${gte}::float8) AND occurred_at < to_timestamp(${lt}::float8)`;

/** A page of rows `p` of a query, or the one with this id. */
const pageOf = (from: RawBuilder<unknown>, id: string, object: string, query: UnseenQuery): RawBuilder<unknown> =>
  sql`SELECT p.* FROM (${from}) p WHERE ${ofPeriod(query, { object, id, at: 'made_at' })} ORDER BY p.${sql.ref(id)} LIMIT ${query.limit}`;

const OF_MOVEMENTS = sql`
  SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, min(occurred_at) AS made_at, min(occurred_at) AS updated_at,
    max(currency) FILTER (WHERE account = 'stripe_balance') AS currency,
    coalesce(sum(amount) FILTER (WHERE account = 'stripe_balance'), 0)::bigint AS net,
    coalesce(sum(amount) FILTER (WHERE account = 'stripe_fees'), 0)::bigint AS fee
  FROM ledger_entries`;

/** What these balance transactions were posted with. */
export async function movementsOf(db: CompareDb, ids: readonly string[]): Promise<PostedMovement[]> {
  const { rows } = await sql<PostedMovement>`${OF_MOVEMENTS} WHERE transaction_id = ANY(${ids}::text[]) GROUP BY transaction_id`.execute(
    db,
  );
  return rows;
}

/** Balance transactions of the period that are posted and were on no page of Stripe's. */
export async function unseenMovements(db: CompareDb, query: UnseenQuery): Promise<PostedMovement[]> {
  const from = sql`${OF_MOVEMENTS} WHERE event = ${sql.lit(FEE_RECORDED)} AND ${during(query)} GROUP BY transaction_id`;
  const { rows } = await sql<PostedMovement>`${pageOf(from, 'transaction_id', 'balance_transaction', query)}`.execute(db);
  return rows;
}

/** Up to when the balance has been read, in Unix seconds; 0 before the first pass ended. */
export async function sweptTo(db: CompareDb): Promise<number> {
  const { read_to: readTo } = await db.selectFrom('balance_sweep').select('read_to').executeTakeFirstOrThrow();
  return readTo === null ? 0 : Math.floor(readTo.getTime() / 1000);
}

const unbalanced = (where: RawBuilder<unknown>) => sql`
  SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, min(occurred_at) AS made_at, min(occurred_at) AS updated_at,
    min(currency) AS currency, min(off)::bigint AS off
  FROM (
    SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, min(occurred_at) AS occurred_at, currency, sum(amount) AS off
    FROM ledger_entries WHERE ${where} GROUP BY transaction_id, currency HAVING sum(amount) <> 0) c
  GROUP BY transaction_id`;

/** Transactions of the period whose entries do not sum to zero; one currency of each. */
export async function unbalancedTransactions(db: CompareDb, query: UnseenQuery): Promise<Unbalanced[]> {
  const { rows } = await sql<Unbalanced>`${pageOf(unbalanced(during(query)), 'transaction_id', 'ledger_transaction', query)}`.execute(db);
  return rows;
}

export async function stillUnbalanced(db: CompareDb, id: string): Promise<Unbalanced | null> {
  const { rows } = await sql<Unbalanced>`${unbalanced(sql`transaction_id = ${id}`)}`.execute(db);
  return rows[0] ?? null;
}

/** One side may be told much later than the other, such as by a webhook that Stripe delivers again. By what was read of the balance. */
const anHourAgo = sql`(SELECT read_to - interval '1 hour' FROM balance_sweep)`;

/**
 * Payments that Stripe has settled and that were posted neither with what is recorded of them nor with what Stripe's balance has moved: where the ledger agrees
 * with the balance, it is what is recorded that is wrong, and another class says so. What was recorded ahead of its event, by a repair, is posted when that comes. References are
 * looked up one by one (OFFSET 0): without statistics the planner would read all of the clearing account for each payment.
 */
const misposted = (where: RawBuilder<unknown>) => sql`
  SELECT p.payment_id, p.tenant, p.created_at AS made_at, p.updated_at, p.stripe_payment_intent, p.currency, p.amount_captured AS captured,
    p.amount_refunded AS refunded, l.sales, l.refunds
  FROM recorded_payments p LEFT JOIN ledger_payments u USING (payment_id) CROSS JOIN LATERAL (
    SELECT coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0)::bigint AS sales, coalesce(sum(amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunds
    FROM ledger_entries e WHERE e.payment_id = p.payment_id AND e.event <> ${sql.lit(FEE_RECORDED)} AND e.currency = p.currency) l
  CROSS JOIN LATERAL (
    SELECT coalesce(-sum(amount) FILTER (WHERE c.reference = p.stripe_payment_intent), 0) AS captured,
      coalesce(sum(amount) FILTER (WHERE c.reference <> p.stripe_payment_intent), 0) AS refunded
    FROM (SELECT p.stripe_payment_intent AS reference UNION SELECT stripe_refund FROM recorded_refunds r WHERE r.payment_id = p.payment_id) told
    CROSS JOIN LATERAL (
      SELECT reference, amount FROM ledger_entries e WHERE e.account = 'stripe_clearing' AND e.event = ${sql.lit(FEE_RECORDED)}
        AND e.reference = told.reference COLLATE "C" AND e.currency = p.currency OFFSET 0) c) moved
  WHERE ${where} AND ((moved.captured <> 0 AND l.sales NOT IN (p.amount_captured, moved.captured))
      OR (moved.refunded <> 0 AND l.refunds NOT IN (p.amount_refunded, moved.refunded)))
    AND ((u.epoch, u.version) IS NOT DISTINCT FROM (p.epoch, p.version) OR p.updated_at < ${anHourAgo})`;

export async function mispostedPayments(db: CompareDb, query: UnseenQuery): Promise<Misposted[]> {
  const ofQuery = ofPeriod(query, { object: 'ledger_payment', id: 'payment_id', at: 'created_at' });
  const { rows } = await sql<Misposted>`${misposted(ofQuery)} ORDER BY p.payment_id LIMIT ${query.limit}`.execute(db);
  return rows;
}

export async function stillMisposted(db: CompareDb, id: string): Promise<Misposted | null> {
  const { rows } = await sql<Misposted>`${misposted(sql`p.payment_id = ${id}`)}`.execute(db);
  return rows[0] ?? null;
}

/**
 * What payments and Stripe's balance have both told of and not alike, and what Stripe has settled of an intent that payments has told nothing of, once all of it is an hour older than
 * the newest that was read; one currency of each. Of what payments alone has told, Stripe's settlement may take long.
 */
const uncleared = (touched: RawBuilder<unknown>) => sql`
  SELECT DISTINCT ON (c.reference) c.reference, max(c.tenant) AS tenant, max(c.payment_id) AS payment_id, max(c.occurred_at) AS made_at, max(c.occurred_at) AS updated_at, c.currency,
    coalesce(sum(c.amount) FILTER (WHERE c.event <> ${sql.lit(FEE_RECORDED)}), 0)::bigint AS told,
    coalesce(-sum(c.amount) FILTER (WHERE c.event = ${sql.lit(FEE_RECORDED)}), 0)::bigint AS moved
  FROM (${touched}) t JOIN ledger_entries c ON c.reference = t.reference AND c.account = 'stripe_clearing'
  GROUP BY c.reference, c.currency
  HAVING sum(c.amount) <> 0 AND bool_or(c.event = ${sql.lit(FEE_RECORDED)})
    AND (bool_or(c.event <> ${sql.lit(FEE_RECORDED)}) OR c.reference LIKE 'pi\\_%')
    AND max(c.occurred_at) < ${anHourAgo}
  ORDER BY c.reference, c.currency`;

export async function unclearedReferences(db: CompareDb, query: UnseenQuery): Promise<Uncleared[]> {
  const touched = sql`SELECT DISTINCT reference FROM ledger_entries WHERE account = 'stripe_clearing' AND ${during(query)}`;
  const { rows } = await sql<Uncleared>`${pageOf(uncleared(touched), 'reference', 'ledger_clearing', query)}`.execute(db);
  return rows;
}

export async function stillUncleared(db: CompareDb, id: string): Promise<Uncleared | null> {
  const { rows } = await sql<Uncleared>`${uncleared(sql`SELECT ${id}::text AS reference`)}`.execute(db);
  return rows[0] ?? null;
}
