import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { Account } from './accounts.js';

export interface Balance {
  account: Account;
  currency: string;
  debit: number;
  credit: number;
  balance: number;
}

export interface BalancesOf {
  tenant: string;
  /** Null: all. */
  currency: string | null;
  /** Entries that occurred before this; null: all. */
  before: Date | null;
}

/** The balances of a tenant's accounts, in order of account and currency; those that nothing was ever posted to are left out. */
export async function balances(db: Kysely<ReconciliationTables>, { tenant, currency, before }: BalancesOf): Promise<Balance[]> {
  const { rows } = await sql<Balance>`
    SELECT account, currency, coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS debit,
      coalesce(-sum(amount) FILTER (WHERE amount < 0), 0)::bigint AS credit, sum(amount)::bigint AS balance
    FROM ledger_entries
    WHERE tenant = ${tenant} AND (${currency}::text IS NULL OR currency = ${currency}) AND (${before}::timestamptz IS NULL OR occurred_at < ${before})
    GROUP BY account, currency ORDER BY account, currency`.execute(db);
  return rows;
}
