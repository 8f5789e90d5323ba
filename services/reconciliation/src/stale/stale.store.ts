import { type Kysely, sql } from 'kysely';
import { agreedPayments, agreedRefunds } from '../compare/expected-status.decide.js';
import type { ReconciliationTables } from '../tables.js';

type Db = Kysely<ReconciliationTables>;

export interface StalePayment {
  payment_id: string;
  tenant: string;
  /** What is wrong, for payments' audit. */
  reason: string;
  asked: number;
}

const pairs = (agreed: readonly (readonly [string, string])[]) =>
  sql`(SELECT * FROM unnest(${agreed.map(([ours]) => ours)}::text[], ${agreed.map(([, stripes]) => stripes)}::text[]))`;

/**
 * Payments to look up: unknown (or with an unknown refund) since before `before`, processing for more than an hour, or of another status than
 * Stripe's events have said since before then. Those asked about lately are left out.
 */
export async function stalePayments(db: Db, { now, before, limit }: { now: Date; before: Date; limit: number }): Promise<StalePayment[]> {
  const { rows } = await sql<StalePayment>`
    WITH stale AS (
      SELECT payment_id, 'unknown' AS reason FROM recorded_payments WHERE status = 'unknown' AND updated_at <= ${before}
      UNION ALL
      SELECT payment_id, 'processing for long' FROM recorded_payments WHERE status = 'processing' AND updated_at <= ${before}::timestamptz - interval '1 hour'
      UNION ALL
      SELECT payment_id, 'refund unknown' FROM recorded_refunds WHERE status = 'unknown' AND updated_at <= ${before}
      UNION ALL
      SELECT p.payment_id, 'stripe says ' || o.status FROM stripe_objects o JOIN recorded_payments p ON p.stripe_payment_intent = o.object_id
      WHERE o.object = 'payment_intent' AND o.as_of <= ${before} AND o.as_of > ${before}::timestamptz - interval '1 day' AND p.updated_at <= ${before}
        AND (p.status, o.status) NOT IN ${pairs(agreedPayments)}
      UNION ALL
      SELECT r.payment_id, 'stripe says refund ' || o.status FROM stripe_objects o JOIN recorded_refunds r ON r.stripe_refund = o.object_id
      WHERE o.object = 'refund' AND o.as_of <= ${before} AND o.as_of > ${before}::timestamptz - interval '1 day' AND r.updated_at <= ${before}
        AND (r.status, o.status) NOT IN ${pairs(agreedRefunds)}
    )
    SELECT p.payment_id, p.tenant, min(s.reason) AS reason, coalesce(max(q.asked), 0) AS asked
    FROM stale s JOIN recorded_payments p USING (payment_id) LEFT JOIN repair_requests q USING (payment_id)
    WHERE q.next_at IS NULL OR q.next_at <= ${now}
    GROUP BY p.payment_id ORDER BY max(q.next_at) NULLS FIRST, p.payment_id LIMIT ${limit}`.execute(db);
  return rows;
}

export async function recordAsked(db: Db, paymentId: string, next: Date, answer: string): Promise<void> {
  await sql`
    INSERT INTO repair_requests AS q (payment_id, asked, next_at, last_answer) VALUES (${paymentId}, 1, ${next}, ${answer})
    ON CONFLICT (payment_id) DO UPDATE SET asked = q.asked + 1, next_at = excluded.next_at, last_answer = excluded.last_answer`.execute(db);
}

/** A payment that was not stale for a day begins anew. */
export async function forgetOld(db: Db, now: Date): Promise<void> {
  await sql`DELETE FROM repair_requests WHERE next_at < ${now}::timestamptz - interval '1 day'`.execute(db);
}
