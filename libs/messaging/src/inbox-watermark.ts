import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { askTogether } from './ask-together.js';
import { type InboxKey } from './inbox-key.js';
import { type Place } from './position-header.js';

/** Another generation took its place. */
export class GenerationGone extends Error {
  override name = 'GenerationGone';
}

export interface Watermark extends Place {
  /** First position of the epoch. */
  epoch_start: number;
}

/** The consumer's live generation at this moment; makes the first one when the consumer is new. */
export async function currentGeneration(db: Db, consumer: string, stream: StreamName): Promise<number> {
  const { rows } = await sql<{ live: number }>`
    SELECT live FROM inbox_generations AS g
    WHERE consumer = ${consumer} AND EXISTS (SELECT 1 FROM inbox_watermarks AS w WHERE w.consumer = g.consumer AND w.generation = g.live)`.execute(
    db,
  );
  return rows[0]?.live ?? liveGeneration(db, consumer, stream);
}

/**
 * The consumer's live generation; makes the first one when the consumer is new. The row is locked meanwhile, so that a generation which is replaced at this moment
 * gets no watermark any more.
 */
export async function liveGeneration(db: Db, consumer: string, stream: StreamName): Promise<number> {
  await sql`INSERT INTO inbox_generations (consumer, live) VALUES (${consumer}, 1) ON CONFLICT DO NOTHING`.execute(db);
  const { rows } = await sql<{ live: number }>`
    WITH g AS (SELECT live FROM inbox_generations WHERE consumer = ${consumer} FOR KEY SHARE), made AS (
      INSERT INTO inbox_watermarks (consumer, generation, stream) SELECT ${consumer}, live, ${stream} FROM g ON CONFLICT DO NOTHING
    )
    SELECT live FROM g`.execute(db);
  return rows[0]?.live ?? 1;
}

export async function ensureWatermark(db: Db, key: InboxKey, stream: StreamName): Promise<void> {
  await sql`
    INSERT INTO inbox_watermarks (consumer, generation, stream) VALUES (${key.consumer}, ${key.generation}, ${stream}) ON CONFLICT DO NOTHING`.execute(
    db,
  );
}

/** How far the stream is stored without a hole. With `lock`, nobody else stores for this consumer until the transaction ends. */
export async function readWatermark(db: Db, key: InboxKey, { lock = false } = {}): Promise<Watermark> {
  const { rows } = await sql<Watermark>`
    SELECT epoch, epoch_start, position FROM inbox_watermarks
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} ${lock ? sql`FOR UPDATE` : sql``}`.execute(db);
  const watermark = rows[0];
  if (!watermark) throw new GenerationGone(`${key.consumer} has no generation ${key.generation} (any more)`);
  return watermark;
}

/** The same with the consumer's live generation, which is another one once this one was replaced; consumers that ask in the same moment share a statement. */
export async function readStanding(db: Db, key: InboxKey): Promise<Watermark & { live: number | null }> {
  const standing = await standings(db, key);
  if (!standing) throw new GenerationGone(`${key.consumer} has no generation ${key.generation} (any more)`);
  return standing;
}

const standings = askTogether(async (db, keys: readonly InboxKey[]) => {
  const { rows } = await sql<InboxKey & Watermark & { live: number | null }>`
    SELECT consumer, generation, epoch, epoch_start, position, (SELECT live FROM inbox_generations AS g WHERE g.consumer = w.consumer) AS live
    FROM inbox_watermarks AS w JOIN unnest(
      ${keys.map(({ consumer }) => consumer)}::text[], ${keys.map(({ generation }) => generation)}::int[]
    ) AS wanted(consumer, generation) USING (consumer, generation)`.execute(db);
  return keys.map((key) => {
    const found = rows.find(({ consumer, generation }) => consumer === key.consumer && generation === key.generation);
    return found && { epoch: found.epoch, epoch_start: found.epoch_start, position: found.position, live: found.live };
  });
});

/** The highest position stored, which is above the watermark when there is a gap. */
export async function highestStored(db: Db, key: InboxKey): Promise<number> {
  const { rows } = await sql<{ highest: number }>`
    SELECT coalesce(max(position), 0) AS highest FROM inbox WHERE consumer = ${key.consumer} AND generation = ${key.generation}`.execute(
    db,
  );
  return rows[0]?.highest ?? 0;
}

/**
 * Notes, for good, that a page up to this position is begun; false when an earlier one was begun and came to no end: its process ended, or it is at work elsewhere. Waits
 * for whoever stores now.
 */
export async function beginPage(db: Db, key: InboxKey, last: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE inbox_watermarks SET begun = greatest(begun, ${last}::bigint)
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND position >= begun`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

const STEP = 5_000;

/**
 * Moves the watermark over all rows that follow it without a hole; the transaction must hold its lock. Up to `stored` there is none, which the caller knows.
 */
export async function advanceWatermark(db: Db, key: InboxKey, from: number, stored = from): Promise<number> {
  let position = stored;
  for (;;) {
    const { rows } = await sql<{ reached: number | null }>`
      SELECT max(position) AS reached FROM (
        SELECT position, row_number() OVER (ORDER BY position) AS n FROM (
          SELECT position FROM inbox
          WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND position > ${position} AND position <= ${position + STEP}
        ) AS near
      ) AS numbered
      WHERE position = ${position}::bigint + n`.execute(db);
    const reached = rows[0]?.reached ?? position;
    const full = reached - position === STEP;
    position = reached;
    if (!full) break;
  }
  if (position > from) {
    await sql`UPDATE inbox_watermarks SET position = ${position} WHERE consumer = ${key.consumer} AND generation = ${key.generation}`.execute(
      db,
    );
  }
  return position;
}

/**
 * Takes over a newer epoch of the owner: it was restored from a backup and has given out the positions from `epochStart` on a second time. What was
 * stored from the lost history there keeps its effect, loses its position, and is discarded where it has not run, until the same message comes back. `handled_at` stays
 * null, which tells it from what was discarded for good.
 */
export async function adoptEpoch(db: Db, key: InboxKey, epoch: number, epochStart: number): Promise<boolean> {
  const current = await readWatermark(db, key, { lock: true });
  if (epoch <= current.epoch) return false;
  const reason = `the owner began epoch ${epoch} at position ${epochStart} without it`;
  await sql`
    DELETE FROM inbox_lanes WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND position >= ${epochStart}`.execute(db);
  await sql`
    UPDATE inbox SET position = NULL,
      state = CASE WHEN state IN ('pending', 'dead') THEN 'discarded' ELSE state END,
      reason = CASE WHEN state IN ('pending', 'dead') THEN concat_ws('; it had failed with: ', ${reason}::text, reason) ELSE reason END
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND position >= ${epochStart}`.execute(db);
  await sql`
    UPDATE inbox_watermarks SET epoch = ${epoch}, epoch_start = ${epochStart}, position = least(position, ${epochStart}::bigint - 1)
    WHERE consumer = ${key.consumer} AND generation = ${key.generation}`.execute(db);
  return true;
}
