import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

/** Rows per statement, so that no statement holds many rows for long. */
const BATCH = 500;

/**
 * Stripe answers again: what waits for it is due now, those that waited longest first; what was due already, too, or it would overtake them. `closing` names this
 * closing of a breaker for the whole fleet: every process may call this, at any time after it, and each payment is woken once. Only due times move; the loops and
 * the limiter decide how fast they run. Answers how many were woken here.
 */
export async function wakeAll(db: Kysely<PaymentsTables>, closing: string, now: Date): Promise<number> {
  for (let woken = 0; ;) {
    const result = await sql`
      UPDATE payment_work w SET due_at = ${now}, not_before = NULL, woken = ${closing}
      FROM (
        SELECT payment_id FROM payment_work
        WHERE due_at IS NOT NULL AND holder IS NULL AND woken IS DISTINCT FROM ${closing} AND waits_for IS DISTINCT FROM 'window'
        ORDER BY since LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
      ) waiting
      WHERE w.payment_id = waiting.payment_id`.execute(db);
    const count = Number(result.numAffectedRows ?? 0n);
    woken += count;
    if (count < BATCH) return woken;
  }
}

/** Makes one waiting payment due now, the one that waited longest; answers whether there was any. */
export async function wakeOne(db: Kysely<PaymentsTables>, now: Date): Promise<boolean> {
  const { rows } = await sql`
    UPDATE payment_work w SET due_at = ${now}, not_before = NULL
    FROM (
      SELECT payment_id FROM payment_work WHERE due_at > ${now} AND holder IS NULL AND waits_for IS DISTINCT FROM 'window' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED
    ) waiting
    WHERE w.payment_id = waiting.payment_id
    RETURNING 1`.execute(db);
  return rows.length > 0;
}
