import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';

/** Tables that are derived from the streams. */
export const PROJECTION_TABLES = [
  'recorded_payments',
  'recorded_refunds',
  'recorded_disputes',
  'recorded_checkouts',
  'recorded_subscriptions',
  'recorded_invoices',
  'recorded_receipts',
  'stripe_objects',
  'ledger_payments',
  'ledger_entries',
] as const;
export type ProjectionTable = (typeof PROJECTION_TABLES)[number];

export type Checksums = Record<ProjectionTable, { rows: number; digest: string }>;

/** What two builds of the projection have to agree in: the number of rows of each table, and the sum of the hashes of all of them, whatever their order. */
export async function projectionChecksums(db: Kysely<ReconciliationTables>): Promise<Checksums> {
  return Object.fromEntries(await Promise.all(PROJECTION_TABLES.map(async (table) => [table, await checksum(db, table)]))) as Checksums;
}

async function checksum(db: Kysely<ReconciliationTables>, table: ProjectionTable): Promise<Checksums[ProjectionTable]> {
  return db.transaction().execute(async (tx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    const { rows } = await sql<Checksums[ProjectionTable]>`
      SELECT count(*)::int AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text AS digest FROM ${sql.table(table)} t`.execute(tx);
    return rows[0]!;
  });
}
