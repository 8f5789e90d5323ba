import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

export interface AnswersRetention {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  /** RETENTION_REPLIES. */
  keepMs: number;
}

export const ANSWERS_INTERVAL_MS = 60_000;
const BATCH = 1_000;
/** A request may have its answer so long after it came. Keys that are older were looked at before, when their answer was younger than the retention. */
const ANSWERED_WITHIN_MS = 40 * 86_400_000;

/**
 * Forgets the bytes of answers that are older than the retention; the key stays, and who repeats it then is told `idempotency.key_expired`. Answers how many; a
 * whole batch means that there may be more. Any replica runs it: rows that another one has in hand are passed over.
 */
export async function forgetAnswersOnce({ db, clock, logger, keepMs }: AnswersRetention): Promise<number> {
  const before = new Date(clock.now().getTime() - keepMs);
  const { rows } = await sql<{ n: number }>`
    WITH old AS (
      SELECT tenant, route, key FROM idempotency_keys
      WHERE created_at >= (SELECT done_until FROM retention_progress WHERE job = 'answers') AND created_at < ${before}
        AND answered_at < ${before} AND body IS NOT NULL
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ), forgotten AS (
      UPDATE idempotency_keys AS k SET body = NULL, content_type = NULL FROM old
      WHERE (k.tenant, k.route, k.key) = (old.tenant, old.route, old.key) RETURNING 1
    )
    SELECT count(*)::int AS n FROM forgotten`.execute(db);
  const count = rows[0]?.n ?? 0;
  if (count > 0) logger.info({ event: 'answers_forgotten', count, before }, 'Answers older than the retention were forgotten');
  if (count < BATCH)
    await sql`
      UPDATE retention_progress SET done_until = ${new Date(before.getTime() - ANSWERED_WITHIN_MS)}
      WHERE job = 'answers' AND done_until < ${new Date(before.getTime() - ANSWERED_WITHIN_MS - ANSWERS_INTERVAL_MS)}`.execute(db);
  return count;
}
