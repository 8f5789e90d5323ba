import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';

/** Tables that are derived from the streams, with the key that orders their rows. */
export const PROJECTION_TABLES = {
  recorded_payments: 'payment_id',
  recorded_refunds: 'refund_id',
  recorded_disputes: 'dispute_id',
  recorded_checkouts: 'checkout_id',
  recorded_subscriptions: 'subscription_id',
  recorded_invoices: 'invoice_id',
  recorded_receipts: 'receipt_id',
  stripe_objects: 'object_id',
  ledger_payments: 'payment_id',
  ledger_entries: 'transaction_id',
} as const;
export type ProjectionTable = keyof typeof PROJECTION_TABLES;

export type Checksums = Record<ProjectionTable, { rows: number; md5: string }>;

/** What two builds of the projection have to agree in: the number of rows of each table, and a digest of all their values in order of key. */
export async function projectionChecksums(db: Kysely<ReconciliationTables>): Promise<Checksums> {
  const entries = await Promise.all(
    Object.entries(PROJECTION_TABLES).map(async ([table, key]) => {
      const { rows } = await sql<{ rows: number; md5: string }>`
        SELECT count(*)::int AS rows, md5(coalesce(string_agg(md5(t::text), '' ORDER BY ${sql.ref(key)} COLLATE "C", md5(t::text)), '')) AS md5
        FROM ${sql.table(table)} t`.execute(db);
      return [table, rows[0]!] as const;
    }),
  );
  return Object.fromEntries(entries) as Checksums;
}
