import type { FeeRecorded } from '@tidegate/contracts/events/fee';
import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { type Imbalance, notAsRecorded, notCleared, type PostedMovement, unbalanced } from './check.decide.js';
import { feeStream } from './fee.events.js';
import { FEE_RECORDED } from './ledger.store.js';

type Db = Kysely<ReconciliationTables>;

/** A tenant's, of a period in Unix seconds, `gte` <= t < `lt`. */
export interface LedgerScope {
  tenant: string;
  period: { gte: number; lt: number };
}

const within = (column: string, { gte, lt }: LedgerScope['period']) =>
  sql`${sql.ref(column)} >= to_timestamp(${gte}::float8) AND ${sql.ref(column)} < to_timestamp(${lt}::float8)`;

/** Transactions of the period whose entries do not sum to zero in a currency. */
export async function unbalancedTransactions(db: Db, { tenant, period }: LedgerScope): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof unbalanced>[0]>`
    SELECT transaction_id, max(payment_id) AS payment_id, currency, sum(amount)::bigint AS off FROM ledger_entries
    WHERE tenant = ${tenant} AND ${within('occurred_at', period)}
    GROUP BY transaction_id, currency HAVING sum(amount) <> 0 ORDER BY transaction_id, currency`.execute(db);
  return rows.map(unbalanced);
}

/** Payments made in the period that were not posted with what is recorded of them: the two are written by one transaction. */
export async function disagreeingPayments(db: Db, { tenant, period }: LedgerScope): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof notAsRecorded>[0]>`
    SELECT p.payment_id, p.stripe_payment_intent, p.currency, p.amount_captured AS captured, p.amount_refunded AS refunded, l.sales, l.refunds
    FROM recorded_payments p CROSS JOIN LATERAL (
      SELECT coalesce(-sum(amount) FILTER (WHERE account = 'sales'), 0)::bigint AS sales, coalesce(sum(amount) FILTER (WHERE account = 'refunds'), 0)::bigint AS refunds
      FROM ledger_entries e WHERE e.payment_id = p.payment_id AND e.event <> ${sql.lit(FEE_RECORDED)} AND e.currency = p.currency) l
    WHERE p.tenant = ${tenant} AND ${within('p.created_at', period)} AND (l.sales, l.refunds) IS DISTINCT FROM (p.amount_captured, p.amount_refunded)
    ORDER BY p.payment_id`.execute(db);
  return rows.map(notAsRecorded);
}

/** One side may be told much later than the other, such as a webhook that Stripe delivers again. */
const QUIET_HOURS = 1;

/** What payments and Stripe's balance have both told of, and not alike, for an hour by now. */
export async function disagreeingClearing(db: Db, { tenant, period }: LedgerScope, now: Date): Promise<Imbalance[]> {
  const { rows } = await sql<Parameters<typeof notCleared>[0]>`
    WITH touched AS (
      SELECT DISTINCT reference FROM ledger_entries WHERE tenant = ${tenant} AND account = 'stripe_clearing' AND ${within('occurred_at', period)}
    )
    SELECT c.reference, max(c.payment_id) AS payment_id, c.currency,
      coalesce(sum(c.amount) FILTER (WHERE c.event <> ${sql.lit(FEE_RECORDED)}), 0)::bigint AS told,
      coalesce(-sum(c.amount) FILTER (WHERE c.event = ${sql.lit(FEE_RECORDED)}), 0)::bigint AS moved
    FROM touched JOIN ledger_entries c ON c.reference = touched.reference AND c.account = 'stripe_clearing'
    GROUP BY c.reference, c.currency
    HAVING sum(c.amount) <> 0 AND count(DISTINCT c.event = ${sql.lit(FEE_RECORDED)}) = 2
      AND max(c.occurred_at) < ${now}::timestamptz - make_interval(hours => ${QUIET_HOURS})
    ORDER BY c.reference, c.currency`.execute(db);
  return rows.map(notCleared);
}

const posted = sql`
  SELECT transaction_id, max(tenant) AS tenant, max(payment_id) AS payment_id, max(currency) FILTER (WHERE account = 'stripe_balance') AS currency,
    coalesce(sum(amount) FILTER (WHERE account = 'stripe_balance'), 0)::bigint AS net,
    coalesce(sum(amount) FILTER (WHERE account = 'stripe_fees'), 0)::bigint AS fee
  FROM ledger_entries`;

/** What these balance transactions were posted with, by id. */
export async function postedOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, PostedMovement>> {
  const { rows } = await sql<PostedMovement>`${posted} WHERE transaction_id = ANY(${ids}::text[]) GROUP BY transaction_id`.execute(db);
  return new Map(rows.map((row) => [row.transaction_id, row]));
}

/** Balance transactions of the period that are posted, and are none of these. */
export async function postedOthers(db: Db, { tenant, period }: LedgerScope, ids: readonly string[]): Promise<PostedMovement[]> {
  const { rows } = await sql<PostedMovement>`${posted}
    WHERE tenant = ${tenant} AND event = ${sql.lit(FEE_RECORDED)} AND ${within('occurred_at', period)} AND transaction_id <> ALL(${ids}::text[])
    GROUP BY transaction_id ORDER BY transaction_id`.execute(db);
  return rows;
}

/** The events of those of these balance transactions that are recorded. */
export async function recordedFees(db: Db, ids: readonly string[]): Promise<(FeeRecorded & { tenant: string })[]> {
  const { rows } = await sql<{ data: FeeRecorded & { tenant: string } }>`
    SELECT data FROM events WHERE stream = ANY(${ids.map(feeStream)}::text[]) AND version = 1`.execute(db);
  return rows.map(({ data }) => data);
}

/** Up to when the balance has been read, in Unix seconds; 0 before the first pass ended. */
export async function sweptTo(db: Db): Promise<number> {
  const { read_to: readTo } = await db.selectFrom('balance_sweep').select('read_to').executeTakeFirstOrThrow();
  return readTo === null ? 0 : Math.floor(readTo.getTime() / 1000);
}
