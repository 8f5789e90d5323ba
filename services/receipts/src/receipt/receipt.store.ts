import { paymentSubject } from '@tidegate/contracts/events/payment';
import type { StoredEvent } from '@tidegate/event-store/read';
import { type Kysely, sql } from 'kysely';
import type { ReceiptRow, Tables } from '../tables.js';
import { asReceiptEvent } from './receipt.events.js';

/** The durable that receipts are issued from. */
export const PAYMENTS_CONSUMER = 'receipts-payments';

/** Takes the next number of a counter. The row stays locked until the transaction ends, and a rollback gives the number back. */
export async function nextSequence(tx: Kysely<Tables>, counter: { tenant: string; series: string; year: number }): Promise<number> {
  const { last } = await tx
    .insertInto('counters')
    .values({ ...counter, last: 1 })
    .onConflict((conflict) => conflict.columns(['tenant', 'series', 'year']).doUpdateSet({ last: sql<number>`counters.last + 1` }))
    .returning('last')
    .executeTakeFirstOrThrow();
  return last;
}

/** Brings the projection up to one event. The only writer of `receipts`, live and in a rebuild. */
export async function project(tx: Kysely<Tables>, stored: Pick<StoredEvent, 'type' | 'version' | 'data'>): Promise<void> {
  const event = asReceiptEvent(stored);
  switch (event.type) {
    case 'ReceiptIssued': {
      const { receipt_id, tenant, payment_id, kind, series, year, sequence, number, amount, currency, issued_at } = event.data;
      const empty = { error: null, sha256: null, template: null, engine: null, fonts: null };
      const row = {
        receipt_id,
        tenant,
        payment_id,
        kind,
        series,
        year,
        sequence,
        number,
        amount,
        currency,
        issued_at: new Date(issued_at),
      };
      await tx
        .insertInto('receipts')
        .values({ ...row, status: 'issued', ...empty })
        .execute();
      return;
    }
    case 'ReceiptRendered': {
      const { receipt_id, ...made } = event.data;
      await tx
        .updateTable('receipts')
        .set({ ...made, status: 'rendered', error: null })
        .where('receipt_id', '=', receipt_id)
        .execute();
      return;
    }
    case 'ReceiptRenderFailed': {
      const { receipt_id, error } = event.data;
      await tx
        .updateTable('receipts')
        .set({ status: 'failed', error })
        .where('receipt_id', '=', receipt_id)
        .where('sha256', 'is', null)
        .execute();
      return;
    }
    default:
      return event satisfies never;
  }
}

export async function findReceipt(db: Kysely<Tables>, tenant: string, receiptId: string): Promise<ReceiptRow | undefined> {
  return db.selectFrom('receipts').selectAll().where('tenant', '=', tenant).where('receipt_id', '=', receiptId).executeTakeFirst();
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
  issuedFrom?: Date;
  issuedBefore?: Date;
}

/** Newest first, at most `limit` + 1 rows: the extra one says that there are more. */
export async function listReceipts(db: Kysely<Tables>, tenant: string, query: ReceiptQuery): Promise<ReceiptRow[]> {
  const { limit, after, payment, issuedFrom, issuedBefore } = query;
  let rows = db.selectFrom('receipts').selectAll().where('tenant', '=', tenant);
  if (payment !== undefined) rows = rows.where('payment_id', '=', payment);
  if (issuedFrom) rows = rows.where('issued_at', '>=', issuedFrom);
  if (issuedBefore) rows = rows.where('issued_at', '<', issuedBefore);
  if (after !== null) {
    rows = rows.where(
      sql<boolean>`(issued_at, receipt_id) < (SELECT issued_at, receipt_id FROM receipts WHERE tenant = ${tenant} AND receipt_id = ${after})`,
    );
  }
  return rows
    .orderBy('issued_at', 'desc')
    .orderBy('receipt_id', 'desc')
    .limit(limit + 1)
    .execute();
}

/**
 * Age in seconds of the oldest succeeded payment that has no document yet, whether its receipt waits for the number or for the PDF; 0 when
 * there is none.
 */
export async function oldestMissingSeconds(db: Kysely<Tables>, now: Date): Promise<number> {
  const { rows } = await sql<{ rendering: number | null; numbering: number | null }>`
    SELECT
      (SELECT extract(epoch FROM ${now}::timestamptz - min(issued_at))::float8 FROM receipts WHERE status <> 'rendered') AS rendering,
      (SELECT extract(epoch FROM clock_timestamp() - min(stored_at))::float8 FROM inbox
       WHERE consumer = ${PAYMENTS_CONSUMER} AND state IN ('pending', 'dead') AND subject = ${paymentSubject('succeeded')}) AS numbering`.execute(
    db,
  );
  return Math.max(0, rows[0]?.rendering ?? 0, rows[0]?.numbering ?? 0);
}
