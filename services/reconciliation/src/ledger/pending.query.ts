import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { FEE_RECORDED } from './ledger.store.js';

/** Sales are looked at for so long; one that has no balance transaction by then is a matter for a reconciliation run. */
const PENDING_DAYS = 30;

/** Sales of the 30 days before `before` that nothing on Stripe's balance has cleared yet, of one tenant or (null) of all: how many, and the time of the oldest. */
export async function pendingFees(
  db: Kysely<ReconciliationTables>,
  { tenant, before }: { tenant: string | null; before: Date },
): Promise<{ pending: number; since: Date | null }> {
  const { rows } = await sql<{ pending: number; since: Date | null }>`
    SELECT count(*)::int AS pending, min(occurred_at) AS since FROM ledger_entries s
    WHERE account = 'sales' AND amount < 0 AND (${tenant}::text IS NULL OR tenant = ${tenant})
      AND occurred_at < ${before}::timestamptz AND occurred_at >= ${before}::timestamptz - make_interval(days => ${PENDING_DAYS})
      AND NOT EXISTS (
        SELECT 1 FROM ledger_entries c WHERE c.account = 'stripe_clearing' AND c.reference = s.reference AND c.event = ${sql.lit(FEE_RECORDED)})`.execute(
    db,
  );
  return rows[0]!;
}
