import { createHash } from 'node:crypto';
import type { Db } from '@tidegate/database/database';
import { readAll } from '@tidegate/event-store/read';
import type { Broker } from '@tidegate/messaging/connection';
import { rebuild } from '@tidegate/messaging/rebuild';
import type { Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.js';
import { CREATE_TABLES, receiptsProjection } from './receipt.projection.js';
import { project } from './project-receipt.js';

export interface RebuildPorts {
  db: Kysely<Tables>;
  broker: Broker;
  logger: Logger;
}

/**
 * Makes what was dropped, replays every event of payments and of receipts beside the live projection, and swaps it in. Receipts that are missing are issued by the
 * live consumer then. Documents are rendered again by the loop or on read.
 */
export async function replayAndRebuild({ db, broker, logger }: RebuildPorts): Promise<{ replayed: number; events: number }> {
  const { sources } = await rebuild({ db: db as Db, broker, logger, service: 'receipts', projection: receiptsProjection });
  const { rows } = await sql<{ events: number }>`SELECT count(*) AS events FROM events`.execute(db);
  return { replayed: sources.reduce((sum, source) => sum + source.handled, 0), events: rows[0]?.events ?? 0 };
}

/** Fills `receipts` from the receipts' own events, in one transaction: readers see the old rows until it commits, issuers wait. */
export async function rebuildReceipts(db: Kysely<Tables>): Promise<{ events: number }> {
  await CREATE_TABLES.execute(db);
  return db.transaction().execute(async (tx) => ({ events: await refill(tx) }));
}

/** A hash over every row and column of the projection, independent of their order on disk. */
export async function checksumOfReceipts(db: Kysely<Tables>): Promise<string> {
  const rows = await db.selectFrom('receipts').selectAll().orderBy('receipt_id').execute();
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

const PAGE = 500;

/** Numbers come from the events, so they are the same however often this runs. */
async function refill(tx: Transaction<Tables>): Promise<number> {
  await sql`SET LOCAL statement_timeout = 0`.execute(tx);
  await sql`LOCK TABLE receipts IN EXCLUSIVE MODE`.execute(tx);
  await tx.deleteFrom('receipts').execute();
  let events = 0;
  for (let after = 0; ;) {
    const page = await readAll(tx, after, PAGE);
    for (const event of page) await project(tx, event);
    events += page.length;
    const last = page.at(-1);
    if (!last) return events;
    after = last.position;
  }
}
