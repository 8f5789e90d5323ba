import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.js';

export interface Claim {
  receipt_id: string;
  payment_id: string;
  /** How often it was started, this time included. */
  attempts: number;
}

/** Long enough for a render; a claim that ends early costs only work: the event's expected version lets one of two documents in. */
const LEASE_SECONDS = 5;
const FIRST_RETRY_SECONDS = 2;
/** A cause in the document itself goes away by somebody's hand only. */
export const LONGEST_RETRY_SECONDS = 900;

/**
 * Takes up to `limit` receipts without a document that are due and nobody renders, oldest first. From the second attempt on a claim also
 * moves the next one away, so that a document which ends its process does not come back at once.
 */
export async function claimMissing(db: Kysely<Tables>, now: Date, limit: number): Promise<Claim[]> {
  const { rows } = await sql<Claim>`
    WITH due AS (
      SELECT r.receipt_id FROM receipts r LEFT JOIN renderings w USING (receipt_id)
      WHERE r.status <> 'rendered' AND (w.receipt_id IS NULL OR (w.due_at <= ${now} AND w.leased_until <= clock_timestamp()))
      ORDER BY coalesce(r.wanted_at, r.issued_at) LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED
    ), claimed AS (
      INSERT INTO renderings AS w (receipt_id, attempts, due_at, leased_until)
      SELECT receipt_id, 1, ${now}::timestamptz, clock_timestamp() + ${LEASE_SECONDS} * interval '1 second' FROM due
      ON CONFLICT (receipt_id) DO UPDATE SET
        attempts = w.attempts + 1,
        due_at = ${now}::timestamptz + ${retrySeconds(LONGEST_RETRY_SECONDS)} * interval '1 second',
        leased_until = excluded.leased_until
      WHERE w.due_at <= ${now} AND w.leased_until <= clock_timestamp()
      RETURNING receipt_id, attempts
    )
    SELECT claimed.receipt_id, claimed.attempts, r.payment_id FROM claimed JOIN receipts r USING (receipt_id) ORDER BY r.issued_at`.execute(
    db,
  );
  return rows;
}

/** The document exists: its claim is not needed any more. */
export async function dropClaim(tx: Kysely<Tables>, receiptId: string): Promise<void> {
  await tx.deleteFrom('renderings').where('receipt_id', '=', receiptId).execute();
}

export interface Retry {
  now: Date;
  longestSeconds: number;
  /** Whether it has been tried for long enough: then it is parked, unless it was tried only a few times so far. */
  longEnough: boolean;
}

/** However long it took, so many attempts are made before a document is parked. */
const FEWEST_ATTEMPTS = 10;

/**
 * Gives a failed attempt back, to be tried again after a pause that doubles each time up to `longestSeconds`; or parks it, to be tried only when somebody
 * asks for the document. True when it is parked.
 */
export async function retryLater(tx: Kysely<Tables>, receiptId: string, { now, longestSeconds, longEnough }: Retry): Promise<boolean> {
  const { rows } = await sql<{ parked: boolean }>`
    UPDATE renderings w SET
      due_at = CASE WHEN ${longEnough}::boolean AND w.attempts >= ${FEWEST_ATTEMPTS} THEN 'infinity'::timestamptz
        ELSE ${now}::timestamptz + ${retrySeconds(longestSeconds)} * interval '1 second' END,
      leased_until = clock_timestamp()
    WHERE receipt_id = ${receiptId}
    RETURNING due_at = 'infinity' AS parked`.execute(tx);
  return rows[0]?.parked === true;
}

const retrySeconds = (longest: number) => sql`least(${longest}::float8, ${FIRST_RETRY_SECONDS}::float8 * 2 ^ least(w.attempts - 1, 20))`;
