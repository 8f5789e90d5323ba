import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { OBJECT_KINDS, type WorkKind } from './work.store.js';

/** Work that a loop of this service takes in hand: rows of `payment_work` by kind, and what other tables hold. */
export type DueKind = WorkKind | 'usage' | 'usage_customers' | 'parked_news';

/**
 * When the first row of each kind can be taken, of those that nobody alive holds and that are due by `now` + `aheadMs`; of payments by the first of each tenant, along
 * the index that they are taken by. Customers that usage waits for, and parked news, depend on other rows too: any of them counts as due.
 */
export async function nextDue(db: Kysely<PaymentsTables>, now: Date, aheadMs: number): Promise<ReadonlyMap<DueKind, Date>> {
  const ahead = new Date(now.getTime() + aheadMs);
  const free = sql`(holder IS NULL OR lease_until < clock_timestamp())`;
  const waits = sql`kind = 'pay' AND due_at IS NOT NULL`;
  const { rows } = await sql<{ kind: DueKind; due: Date | null }>`
    WITH RECURSIVE tenants AS (
      (SELECT tenant, due_at FROM payment_work WHERE ${waits} ORDER BY tenant, due_at LIMIT 1)
      UNION ALL
      SELECT next.tenant, next.due_at FROM tenants t CROSS JOIN LATERAL (
        SELECT tenant, due_at FROM payment_work WHERE ${waits} AND tenant > t.tenant ORDER BY tenant, due_at LIMIT 1
      ) next
    )
    SELECT 'pay' AS kind, min(first.due) AS due FROM tenants t CROSS JOIN LATERAL (
      (SELECT due_at AS due FROM payment_work
        WHERE ${waits} AND tenant = t.tenant AND due_at <= ${now} AND coalesce(not_before, due_at) <= ${now} AND ${free} ORDER BY due_at, since LIMIT 1)
      UNION ALL
      -- Only where none can be taken now, so that few are read: what a limit turned away stands by its time, not by when it can be taken.
      (SELECT min(greatest(due_at, not_before)) FROM payment_work WHERE ${waits} AND tenant = t.tenant AND due_at <= ${ahead} AND ${free})
      LIMIT 1
    ) first WHERE t.due_at <= ${ahead}
    UNION ALL SELECT kind, min(greatest(due_at, not_before)) FROM payment_work
      WHERE kind <> 'pay' AND kind = ANY(${OBJECT_KINDS}::text[]) AND due_at <= ${ahead} AND ${free} GROUP BY kind
    UNION ALL SELECT 'usage', min(due_at) FROM usage_counters WHERE due_at <= ${ahead} AND ${free}
    UNION ALL (SELECT 'usage_customers', to_timestamp(0) FROM usage_unknown_customers LIMIT 1)
    UNION ALL (SELECT 'parked_news', to_timestamp(0) FROM parked_news LIMIT 1)`.execute(db);
  return new Map(rows.flatMap(({ kind, due }) => (due === null ? [] : [[kind, due] as const])));
}
