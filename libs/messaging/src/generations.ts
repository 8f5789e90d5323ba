import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { sql, type Transaction } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { ensureWatermark, liveGeneration } from './inbox-watermark.js';

/** A new generation of a consumer, empty, beside the live one. Leftovers of earlier attempts, and of generations that were live once, are removed. */
export async function startGeneration(db: Db, consumer: string, stream: StreamName): Promise<{ live: InboxKey; beside: InboxKey }> {
  const live = { consumer, generation: await liveGeneration(db, consumer, stream) };
  const beside = { consumer, generation: live.generation + 1 };
  await forgetOtherGenerations(db, live);
  await ensureWatermark(db, beside, stream);
  return { live, beside };
}

/**
 * Makes a generation the live one. Waits for the handlers that run now; later ones of the old generation roll back. Subscribers change over by
 * themselves at their next head check. What waited, was dead or was discarded in the old generation is so in the new one; no attempt is in hand there. The
 * messages `again` wait there, too.
 */
export async function promoteGeneration(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  tx: Transaction<any>,
  { live, beside }: { live: InboxKey; beside: InboxKey },
  again: readonly string[] = [],
): Promise<void> {
  await sql`SELECT 1 FROM inbox_generations WHERE consumer = ${beside.consumer} FOR UPDATE`.execute(tx);
  await sql`
    UPDATE inbox AS n SET state = l.state, started = l.finished, finished = l.finished, failures = l.failures, first_failed_at = l.first_failed_at,
      reason = l.reason, stored_at = l.stored_at, handled_at = l.handled_at
    FROM inbox AS l
    WHERE n.consumer = ${beside.consumer} AND n.generation = ${beside.generation} AND n.state = 'pending'
      AND l.consumer = n.consumer AND l.generation = ${live.generation} AND l.message_id = n.message_id`.execute(tx);
  await sql`
    UPDATE inbox SET state = 'pending', started = 0, finished = 0, handled_at = NULL
    WHERE consumer = ${beside.consumer} AND generation = ${beside.generation} AND message_id = ANY(${again}::uuid[])`.execute(tx);
  await sql`DELETE FROM inbox_lanes WHERE consumer = ${beside.consumer} AND generation = ${beside.generation}`.execute(tx);
  await sql`
    INSERT INTO inbox_lanes (consumer, generation, aggregate, position, due_at)
    SELECT DISTINCT ON (n.aggregate) n.consumer, n.generation, n.aggregate, n.position,
      coalesce(l.due_at, CASE n.state WHEN 'dead' THEN 'infinity'::timestamptz ELSE '-infinity'::timestamptz END)
    FROM inbox AS n LEFT JOIN inbox_lanes AS l
      ON l.consumer = n.consumer AND l.generation = ${live.generation} AND l.aggregate = n.aggregate AND l.position = n.position
    WHERE n.consumer = ${beside.consumer} AND n.generation = ${beside.generation} AND n.state IN ('pending', 'dead')
    ORDER BY n.aggregate, n.position`.execute(tx);
  await sql`UPDATE inbox_generations SET live = ${beside.generation} WHERE consumer = ${beside.consumer}`.execute(tx);
}

const FORGET_AT_ONCE = 20_000;

/** Removes the rows of all generations but this one, some at a time. Whoever still stores for one of them finds its watermark gone first. */
export async function forgetOtherGenerations(db: Db, live: InboxKey): Promise<void> {
  const { consumer } = live;
  const others = sql`consumer = ${consumer} AND generation <> ${live.generation}`;
  await sql`DELETE FROM inbox_watermarks WHERE ${others}`.execute(db);
  const { rows } = await sql<{ first: number | null; last: number | null }>`
    SELECT min(generation) AS first, max(generation) AS last FROM inbox WHERE consumer = ${consumer}`.execute(db);
  const { first, last } = rows[0] ?? { first: null, last: null };
  for (let generation = first ?? 1; generation <= (last ?? 0); generation += 1)
    if (generation !== live.generation) await forgetGeneration(db, { consumer, generation });
  await sql`DELETE FROM inbox_lanes WHERE ${others}`.execute(db);
}

/** Place by place: rows that are gone stay where they were until the transaction ends, and each look for some more would go through them again. */
async function forgetGeneration(db: Db, { consumer, generation }: InboxKey): Promise<void> {
  const rowsOf = sql`inbox WHERE consumer = ${consumer} AND generation = ${generation}`;
  const { rows } = await sql<{ highest: number | null }>`SELECT max(position) AS highest FROM ${rowsOf}`.execute(db);
  for (let from = 0; from <= (rows[0]?.highest ?? 0); from += FORGET_AT_ONCE)
    await sql`DELETE FROM ${rowsOf} AND position >= ${from} AND position < ${from + FORGET_AT_ONCE}`.execute(db);
  await sql`DELETE FROM ${rowsOf} AND position IS NULL`.execute(db);
}
