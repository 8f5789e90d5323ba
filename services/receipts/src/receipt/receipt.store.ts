import { paymentSubject } from '@tidegate/contracts/events/payment';
import { type Kysely, sql } from 'kysely';
import type { ReceiptRow, Tables } from '../tables.js';
import { RECEIPT_SERIES } from './receipt.decide.js';

/** The durable that receipts are issued from. */
export const PAYMENTS_CONSUMER = 'receipts-payments';

/**
 * Takes the next number of a counter at `now`, which is in its year. The row stays locked until the transaction ends, and a rollback gives the number back. `issuedAt` is `now`,
 * or when the number before was given if that was later: who waited for the lock has read the clock before. By more than a minute it is the clock that is wrong, and the number before stays the only one that
 * has its date.
 */
export async function nextSequence(
  tx: Kysely<Tables>,
  counter: { tenant: string; series: string; year: number },
  now: Date,
): Promise<{ sequence: number; issuedAt: Date }> {
  const { last, last_at } = await tx
    .insertInto('counters')
    .values({ ...counter, last: 1, last_at: now })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'series', 'year']).doUpdateSet({
        last: sql<number>`counters.last + 1`,
        last_at: sql<Date>`
          CASE WHEN counters.last_at <= excluded.last_at + interval '1 minute' THEN greatest(counters.last_at, excluded.last_at) ELSE excluded.last_at END`,
      }),
    )
    .returning(['last', 'last_at'])
    .executeTakeFirstOrThrow();
  return { sequence: last, issuedAt: last_at ?? now };
}

/**
 * Locks all counters of these tenants that there are, in the order in which whoever issues one after the other takes them: a receipt before its notes. Who takes
 * numbers for many payments in one transaction would else meet another in a deadlock, as two may once who make the first counters of a year.
 */
export async function lockCounters(tx: Kysely<Tables>, tenants: readonly string[]): Promise<void> {
  await sql`
    SELECT 1 FROM counters WHERE tenant = ANY(${tenants}::text[]) ORDER BY tenant, series <> ${RECEIPT_SERIES}, series, year FOR UPDATE`.execute(
    tx,
  );
}

/** `tenant` null: whoever's it is. */
export async function findReceipt(db: Kysely<Tables>, tenant: string | null, receiptId: string): Promise<ReceiptRow | undefined> {
  const found = db.selectFrom('receipts').selectAll().where('receipt_id', '=', receiptId);
  return (tenant === null ? found : found.where('tenant', '=', tenant)).executeTakeFirst();
}

/** By what the code on a document says. */
export async function findVerified(db: Kysely<Tables>, token: string): Promise<ReceiptRow | undefined> {
  return db.selectFrom('receipts').selectAll().where('verification', '=', token).executeTakeFirst();
}

export async function findReceiptOfPayment(db: Kysely<Tables>, tenant: string, paymentId: string): Promise<ReceiptRow | undefined> {
  return db
    .selectFrom('receipts')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('payment_id', '=', paymentId)
    .where('kind', '=', 'receipt')
    .executeTakeFirst();
}

export interface ReceiptQuery {
  limit: number;
  /** The last receipt of the page before. */
  after: string | null;
  payment?: string;
  kind?: ReceiptRow['kind'];
  status?: ReceiptRow['status'];
  issuedFrom?: Date;
  issuedBefore?: Date;
}

/** Newest first, at most `limit` + 1 rows: the extra one says that there are more. `tenant` null: of all. Nothing comes behind a receipt of somebody else's. */
export async function listReceipts(db: Kysely<Tables>, tenant: string | null, query: ReceiptQuery): Promise<ReceiptRow[]> {
  let rows = matching(db, tenant, query).selectAll();
  if (query.after !== null) {
    const last = matching(db, tenant, {}).select(['issued_at', 'receipt_id']).where('receipt_id', '=', query.after);
    rows = rows.where(sql<boolean>`(issued_at, receipt_id) < (${last})`);
  }
  return rows
    .orderBy('issued_at', 'desc')
    .orderBy('receipt_id', 'desc')
    .limit(query.limit + 1)
    .execute();
}

/** How many there are on all pages together. */
export async function countReceipts(db: Kysely<Tables>, tenant: string | null, query: ReceiptQuery): Promise<number> {
  const { count } = await matching(db, tenant, query)
    .select((s) => s.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function matching(db: Kysely<Tables>, tenant: string | null, { payment, kind, status, issuedFrom, issuedBefore }: Partial<ReceiptQuery>) {
  let rows = db.selectFrom('receipts');
  if (tenant !== null) rows = rows.where('tenant', '=', tenant);
  if (payment !== undefined) rows = rows.where('payment_id', '=', payment);
  if (kind !== undefined) rows = rows.where('kind', '=', kind);
  if (status !== undefined) rows = rows.where('status', '=', status);
  if (issuedFrom) rows = rows.where('issued_at', '>=', issuedFrom);
  if (issuedBefore) rows = rows.where('issued_at', '<', issuedBefore);
  return rows;
}

/**
 * Age in seconds of the oldest succeeded payment that has no document yet, whether its receipt waits for the number or for the PDF; 0 when
 * there is none.
 */
export async function oldestMissingSeconds(db: Kysely<Tables>, now: Date): Promise<number> {
  const { rows } = await sql<{ rendering: number | null; numbering: number | null }>`
    SELECT
      (SELECT extract(epoch FROM ${now}::timestamptz - min(coalesce(wanted_at, issued_at)))::float8 FROM receipts WHERE status <> 'rendered') AS rendering,
      (SELECT extract(epoch FROM clock_timestamp() - min(stored_at))::float8 FROM inbox
       WHERE consumer = ${PAYMENTS_CONSUMER} AND state IN ('pending', 'dead') AND subject = ${paymentSubject('succeeded')}) AS numbering`.execute(
    db,
  );
  return Math.max(0, rows[0]?.rendering ?? 0, rows[0]?.numbering ?? 0);
}
