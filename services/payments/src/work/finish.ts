import { sql, type Transaction } from 'kysely';
import { type Answers, answering } from '../idempotency/idempotency.store.js';
import { type PaymentsTables } from '../tables.js';
import { type Held, release } from './work.store.js';

/** The end of a run that left nothing to do: stores the answers and drops the row of work, in one statement. As `release`, it keeps what was wished meanwhile. */
export async function finish(tx: Transaction<PaymentsTables>, lease: Held, answers: Answers, now: Date): Promise<{ more: boolean }> {
  const { rows } = await sql<{ gone: boolean }>`
    WITH answered AS (${answering(answers, now)}),
    gone AS (
      DELETE FROM payment_work WHERE payment_id = ${lease.payment_id} AND holder = ${lease.holder} AND revision = ${lease.revision} RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM gone) AS gone`.execute(tx);
  return rows[0]?.gone ? { more: false } : release(tx, lease, null, 0);
}
