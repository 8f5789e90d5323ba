import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.js';

export interface MailClaim {
  receipt_id: string;
  payment_id: string;
  /** `sending`: whoever began it never said how it ended. */
  mail: 'due' | 'sending';
}

/** Longer than a mail server is waited for. */
const LEASE_SECONDS = 90;
const FIRST_RETRY_SECONDS = 30;
const LONGEST_RETRY_SECONDS = 3600;

/** Takes up to `limit` documents that are to be mailed and that nobody mails now, oldest first. A claim moves the next one away, each time further. */
export async function claimMails(db: Kysely<Tables>, now: Date, limit: number): Promise<MailClaim[]> {
  const { rows } = await sql<MailClaim>`
    WITH due AS (
      SELECT r.receipt_id FROM receipts r LEFT JOIN mailings w USING (receipt_id)
      WHERE r.mail IN ('due', 'sending') AND r.status = 'rendered'
        AND (w.receipt_id IS NULL OR (w.leased_until <= clock_timestamp() AND (w.due_at <= ${now} OR r.mail = 'sending')))
      ORDER BY r.issued_at LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED
    ), claimed AS (
      INSERT INTO mailings AS w (receipt_id, attempts, due_at, leased_until)
      SELECT receipt_id, 1, ${now}::timestamptz + ${FIRST_RETRY_SECONDS} * interval '1 second', clock_timestamp() + ${LEASE_SECONDS} * interval '1 second' FROM due
      ON CONFLICT (receipt_id) DO UPDATE SET
        attempts = w.attempts + 1,
        due_at = ${now}::timestamptz + least(${LONGEST_RETRY_SECONDS}::float8, ${FIRST_RETRY_SECONDS}::float8 * 2 ^ least(w.attempts, 20)) * interval '1 second',
        leased_until = excluded.leased_until
      WHERE w.leased_until <= clock_timestamp()
      RETURNING receipt_id
    )
    SELECT claimed.receipt_id, r.payment_id, r.mail FROM claimed JOIN receipts r USING (receipt_id) ORDER BY r.issued_at`.execute(db);
  return rows;
}

/** Nothing more is to be mailed of it. */
export async function dropMailClaim(tx: Kysely<Tables>, receiptId: string): Promise<void> {
  await tx.deleteFrom('mailings').where('receipt_id', '=', receiptId).execute();
}

/** It is tried again when it is due. */
export async function releaseMailClaim(tx: Kysely<Tables>, receiptId: string): Promise<void> {
  await sql`UPDATE mailings SET leased_until = clock_timestamp() WHERE receipt_id = ${receiptId}`.execute(tx);
}
