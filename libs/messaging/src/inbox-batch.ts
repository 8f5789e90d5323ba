import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { advanceLanes, LaneLost, type LaneRow } from './inbox-lanes.js';

/** Rows behind the leased ones in the same lanes that may run with them: no dead or suspect row between, at or below the watermark. */
export async function rowsBehind(db: Db, key: InboxKey, heads: readonly LaneRow[], limit: number): Promise<LaneRow[]> {
  const { rows } = await sql<LaneRow>`
    WITH head AS (
      SELECT aggregate, position, lease FROM unnest(
        ${heads.map((row) => row.aggregate)}::text[], ${heads.map((row) => row.position)}::bigint[], ${heads.map((row) => row.lease)}::bigint[]
      ) AS h(aggregate, position, lease)
    )
    SELECT i.message_id, i.epoch, i.position, i.subject, i.aggregate, i.bytes, i.replay_of, i.started, i.finished, i.failures, i.first_failed_at, head.lease
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
