import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { RecordedPayment, RecordedRefund, RemoteIntent, RemoteRefund } from './compare.decide.js';
import type { Period } from '../run/period.decide.js';

type Db = Kysely<ReconciliationTables>;

const payment = sql.raw('payment_id, tenant, status, amount, amount_captured, currency, stripe_payment_intent, updated_at');
const refund = sql.raw('refund_id, payment_id, tenant, status, amount, currency, stripe_refund, updated_at');

/** The payments recorded for these intents, by intent id: the one that names the intent, else the one that the intent names. */
export async function paymentsOfIntents(
  db: Db,
  intents: readonly Pick<RemoteIntent, 'id' | 'metadata'>[],
): Promise<Map<string, RecordedPayment>> {
  const ids = intents.map((one) => one.id);
  const named = intents.flatMap((one) => one.metadata['payment_id'] ?? []);
  const { rows } = await sql<RecordedPayment>`
    SELECT ${payment} FROM recorded_payments WHERE stripe_payment_intent = ANY(${ids}::text[])
    UNION SELECT ${payment} FROM recorded_payments WHERE payment_id = ANY(${named}::text[])`.execute(db);
  const byIntent = new Map(rows.map((row) => [row.stripe_payment_intent, row]));
  const byId = new Map(rows.map((row) => [row.payment_id, row]));
  return matched(intents, (one) => byIntent.get(one.id) ?? byId.get(one.metadata['payment_id'] ?? ''));
}

export async function refundsOf(db: Db, refunds: readonly Pick<RemoteRefund, 'id' | 'metadata'>[]): Promise<Map<string, RecordedRefund>> {
  const ids = refunds.map((one) => one.id);
  const named = refunds.flatMap((one) => one.metadata['refund_id'] ?? []);
  const { rows } = await sql<RecordedRefund>`
    SELECT ${refund} FROM recorded_refunds WHERE stripe_refund = ANY(${ids}::text[])
    UNION SELECT ${refund} FROM recorded_refunds WHERE refund_id = ANY(${named}::text[])`.execute(db);
  const byStripe = new Map(rows.map((row) => [row.stripe_refund, row]));
  const byId = new Map(rows.map((row) => [row.refund_id, row]));
  return matched(refunds, (one) => byStripe.get(one.id) ?? byId.get(one.metadata['refund_id'] ?? ''));
}

export async function paymentById(db: Db, paymentId: string): Promise<RecordedPayment | null> {
  const { rows } = await sql<RecordedPayment>`SELECT ${payment} FROM recorded_payments WHERE payment_id = ${paymentId}`.execute(db);
  return rows[0] ?? null;
}

export async function refundById(db: Db, refundId: string): Promise<RecordedRefund | null> {
  const { rows } = await sql<RecordedRefund>`SELECT ${refund} FROM recorded_refunds WHERE refund_id = ${refundId}`.execute(db);
  return rows[0] ?? null;
}

/** The tenant of a recorded payment, for objects that name no tenant themselves. */
export async function tenantOfIntent(db: Db, intentId: string): Promise<string | null> {
  const row = await db.selectFrom('recorded_payments').select('tenant').where('stripe_payment_intent', '=', intentId).executeTakeFirst();
  return row?.tenant ?? null;
}

export interface UnseenQuery {
  runId: string;
  tenant: string;
  period: Period;
  limit: number;
  /** Id of the last one of the page before; empty for the first. */
  after: string;
}

/** Payments of the period that were on none of the pages that the run has read. */
export async function unseenPayments(db: Db, { runId, tenant, period, limit, after }: UnseenQuery): Promise<RecordedPayment[]> {
  const { rows } = await sql<RecordedPayment>`
    SELECT ${payment} FROM recorded_payments p
    WHERE tenant = ${tenant} AND payment_id > ${after}
      AND created_at >= to_timestamp(${period.gte}::float8) AND created_at < to_timestamp(${period.lt}::float8)
      AND NOT EXISTS (SELECT 1 FROM run_seen s WHERE s.run_id = ${runId} AND s.object_id = p.payment_id)
    ORDER BY payment_id LIMIT ${limit}`.execute(db);
  return rows;
}

export async function unseenRefunds(db: Db, { runId, tenant, period, limit, after }: UnseenQuery): Promise<RecordedRefund[]> {
  const { rows } = await sql<RecordedRefund>`
    SELECT ${refund} FROM recorded_refunds r
    WHERE tenant = ${tenant} AND refund_id > ${after}
      AND first_told_at >= to_timestamp(${period.gte}::float8) AND first_told_at < to_timestamp(${period.lt}::float8)
      AND NOT EXISTS (SELECT 1 FROM run_seen s WHERE s.run_id = ${runId} AND s.object_id = r.refund_id)
    ORDER BY refund_id LIMIT ${limit}`.execute(db);
  return rows;
}

function matched<R extends { id: string }, L>(remotes: readonly R[], find: (remote: R) => L | undefined): Map<string, L> {
  return new Map(
    remotes.flatMap((remote) => {
      const local = find(remote);
      return local === undefined ? [] : [[remote.id, local] as const];
    }),
  );
}
