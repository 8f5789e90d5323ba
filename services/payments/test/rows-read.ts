import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../src/tables.js';

/**
 * Rows of a table that the connection of a transaction has read. What it read before the transaction counts as long as the server has not taken it over, so that only the
 * difference of two tells anything.
 */
export async function rowsRead(tx: Kysely<PaymentsTables>, table: string): Promise<number> {
  const { rows } = await sql<{ read: number }>`
    SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relid = ${table}::regclass`.execute(tx);
  return rows[0]?.read ?? 0;
}
