import { createHash } from 'node:crypto';
import { readAll } from '@tidegate/event-store/read';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.js';
import { project } from './receipt.store.js';

const PAGE = 500;

/**
 * Fills `receipts` anew from the receipts' own events, in one transaction: readers see the old rows until it commits, issuers wait. Numbers
 * come from the events, so they are the same however often this runs. Documents that are missing are rendered again by the loop or on read.
 */
export async function rebuildReceipts(db: Kysely<Tables>): Promise<{ events: number }> {
  return db.transaction().execute(async (tx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    await sql`LOCK TABLE receipts IN EXCLUSIVE MODE`.execute(tx);
    await tx.deleteFrom('receipts').execute();
    let events = 0;
    for (let after = 0; ; ) {
      const page = await readAll(tx, after, PAGE);
      for (const event of page) await project(tx, event);
      events += page.length;
      const last = page.at(-1);
      if (!last) return { events };
      after = last.position;
    }
  });
}

/** A hash over every row and column of the projection, independent of their order on disk. */
export async function checksumOfReceipts(db: Kysely<Tables>): Promise<string> {
  const rows = await db.selectFrom('receipts').selectAll().orderBy('receipt_id').execute();
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}
