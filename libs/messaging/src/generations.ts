import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { sql, type Transaction } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { ensureWatermark, liveGeneration } from './inbox-watermark.js';

/** A new generation of a consumer, empty, beside the live one. Leftovers of an earlier attempt are removed. */
export async function startGeneration(db: Db, consumer: string, stream: StreamName): Promise<InboxKey> {
  const key = { consumer, generation: (await liveGeneration(db, consumer, stream)) + 1 };
  await forgetGenerations(db, consumer, (generation) => sql`${generation} >= ${key.generation}`);
  await ensureWatermark(db, key, stream);
  return key;
}

/**
 * Makes a generation the live one. Waits for the handlers that run now; later ones of the old generation roll back. Subscribers change over by
 * themselves at their next head check.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function promoteGeneration(tx: Transaction<any>, key: InboxKey): Promise<void> {
  await sql`SELECT 1 FROM inbox_generations WHERE consumer = ${key.consumer} FOR UPDATE`.execute(tx);
  await sql`UPDATE inbox_generations SET live = ${key.generation} WHERE consumer = ${key.consumer}`.execute(tx);
}

/** Removes the rows of the generations before the live one. */
export async function forgetOldGenerations(db: Db, live: InboxKey): Promise<void> {
  await forgetGenerations(db, live.consumer, (generation) => sql`${generation} < ${live.generation}`);
}

async function forgetGenerations(
  db: Db,
  consumer: string,
  which: (generation: ReturnType<typeof sql.ref>) => ReturnType<typeof sql>,
): Promise<void> {
  for (const table of ['inbox_lanes', 'inbox', 'inbox_watermarks']) {
    await sql`DELETE FROM ${sql.table(table)} WHERE consumer = ${consumer} AND ${which(sql.ref('generation'))}`.execute(db);
  }
}
