import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { advanceLanes, LaneLost, type LaneRow } from './inbox-lanes.js';

type Behind = LaneRow & { state: 'pending' | 'dead' };

/**
 * Rows behind the leased ones in the same lanes that may run with them: no dead or suspect row between, at or below the watermark. Looked for lane by lane (OFFSET 0 keeps
 * the planner from joining another way): without statistics, as in a fresh generation, it would else read the whole inbox once for each row that it finds.
 */
export async function rowsBehind(db: Db, key: InboxKey, heads: readonly LaneRow[], limit: number): Promise<LaneRow[]> {
  const { rows } = await sql<Behind>`
    SELECT i.message_id, i.epoch, i.position, i.subject, i.aggregate, i.bytes, i.replay_of, i.started, i.finished, i.failures, i.first_failed_at, i.state, head.lease
    FROM unnest(
      ${heads.map((row) => row.aggregate)}::text[], ${heads.map((row) => row.position)}::bigint[], ${heads.map((row) => row.lease)}::bigint[]
    ) AS head(aggregate, position, lease) CROSS JOIN LATERAL (
      SELECT message_id, epoch, position, subject, aggregate, bytes, replay_of, started, finished, failures, first_failed_at, state FROM inbox
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = head.aggregate AND position > head.position
        AND state IN ('pending', 'dead') OFFSET 0
    ) AS i
    WHERE i.position <= (SELECT position FROM inbox_watermarks WHERE consumer = ${key.consumer} AND generation = ${key.generation})
    ORDER BY i.position LIMIT ${limit}`.execute(db);
  return upToFirstHeld(rows);
}

/** Of each lane what comes before its first row that must not run now: a dead one, or one whose process may have ended by it. In order of position. */
function upToFirstHeld(rows: readonly Behind[]): LaneRow[] {
  const held = new Set<string>();
  return rows.flatMap(({ state, ...row }) => {
    if (state === 'dead' || row.started !== row.finished) held.add(row.aggregate);
    return held.has(row.aggregate) ? [] : [row];
  });
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
