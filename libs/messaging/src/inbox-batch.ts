import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { LaneLost, type LaneRow } from './inbox-lanes.js';

/** Rows behind the leased ones in the same lanes that may run with them: no dead or suspect row between, at or below the watermark. */
export async function rowsBehind(db: Db, key: InboxKey, heads: readonly LaneRow[], limit: number): Promise<LaneRow[]> {
  const { rows } = await sql<LaneRow>`
    WITH head AS (
      SELECT aggregate, position, lease FROM unnest(
        ${heads.map((row) => row.aggregate)}::text[], ${heads.map((row) => row.position)}::bigint[], ${heads.map((row) => row.lease)}::bigint[]
      ) AS h(aggregate, position, lease)
    )
    SELECT i.message_id, i.epoch, i.position, i.subject, i.aggregate, i.bytes, i.started, i.finished, i.failures, i.first_failed_at, head.lease
    FROM head JOIN inbox AS i ON i.consumer = ${key.consumer} AND i.generation = ${key.generation} AND i.aggregate = head.aggregate
    WHERE i.state = 'pending' AND i.started = i.finished AND i.position > head.position
      AND i.position <= (SELECT position FROM inbox_watermarks WHERE consumer = ${key.consumer} AND generation = ${key.generation})
      AND NOT EXISTS (
        SELECT 1 FROM inbox AS held WHERE held.consumer = i.consumer AND held.generation = i.generation AND held.aggregate = i.aggregate
          AND held.position > head.position AND held.position < i.position
          AND (held.state = 'dead' OR (held.state = 'pending' AND held.started > held.finished))
      )
    ORDER BY i.position LIMIT ${limit}`.execute(db);
  return rows;
}

/** Marks many rows done and moves their lanes, which must be locked, to what comes next. Frees them. */
export async function completeRows(tx: Db, key: InboxKey, rows: readonly LaneRow[]): Promise<void> {
  const marked = await sql`
    UPDATE inbox SET state = 'done', started = greatest(started, finished + 1), finished = greatest(started, finished + 1), handled_at = clock_timestamp()
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND state = 'pending'
      AND message_id = ANY(${rows.map((row) => row.message_id)}::uuid[])`.execute(tx);
  if (Number(marked.numAffectedRows ?? 0n) !== rows.length) throw new LaneLost(`${rows.length} rows`);
  await advanceLanes(tx, key, [...new Set(rows.map((row) => row.aggregate))]);
}

/** Sets lanes to their lowest unhandled row and frees them; removes those without any. The lanes must be locked. */
export async function advanceLanes(tx: Db, key: InboxKey, aggregates: readonly string[]): Promise<void> {
  await sql`
    WITH following AS (
      SELECT DISTINCT ON (aggregate) aggregate, position, state FROM inbox
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${aggregates}) AND state IN ('pending', 'dead') AND position IS NOT NULL
      ORDER BY aggregate, position
    ), emptied AS (
      DELETE FROM inbox_lanes
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${aggregates}) AND aggregate NOT IN (SELECT aggregate FROM following)
    )
    UPDATE inbox_lanes AS lane SET position = following.position, holder = NULL, expires_at = NULL,
      due_at = CASE following.state WHEN 'dead' THEN 'infinity'::timestamptz ELSE '-infinity'::timestamptz END
    FROM following
    WHERE lane.consumer = ${key.consumer} AND lane.generation = ${key.generation} AND lane.aggregate = following.aggregate`.execute(tx);
}
