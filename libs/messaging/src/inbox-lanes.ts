import { type Db } from '@tidegate/database/database';
import { type RawBuilder, sql } from 'kysely';
import { askTogether } from './ask-together.js';
import { type InboxKey } from './inbox-key.js';

/** A row that this worker may run: it is the lowest of its lane, at or below the watermark, and the lane is leased. */
export interface LaneRow {
  message_id: string;
  epoch: number;
  position: number;
  subject: string;
  aggregate: string;
  bytes: Buffer;
  /** The message that this one is a replay of. */
  replay_of: string | null;
  /** Attempts begun, this one included. */
  started: number;
  finished: number;
  failures: number;
  first_failed_at: Date | null;
  /** Number of the lane's lease. */
  lease: number;
}

/** The lane, or the whole generation, is no longer this worker's: what it did in this transaction must not count. */
export class LaneLost extends Error {
  constructor(aggregate: string) {
    super(`The lane of ${aggregate} was taken over`);
    this.name = 'LaneLost';
  }
}

const ROW = sql.raw(
  'i.message_id, i.epoch, i.position, i.subject, i.aggregate, i.bytes, i.replay_of, i.started, i.finished, i.failures, i.first_failed_at',
);
const expiry = (ttlMs: number) => sql`clock_timestamp() + ${ttlMs} * interval '1 millisecond'`;
const ofLane = (key: InboxKey, aggregate: string) =>
  sql`consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ${aggregate}`;
const runnable = (key: InSql<InboxKey>) =>
  sql`(SELECT position FROM inbox_watermarks WHERE consumer = ${key.consumer} AND generation = ${key.generation})`;

/** Values, or the columns of a statement that has them. */
type InSql<T> = { [Field in keyof T]: T[Field] | RawBuilder<T[Field]> };

export interface Claim {
  holder: string;
  now: Date;
  limit: number;
  ttlMs: number;
  /**
   * Lanes whose lowest row was running when its process ended, instead of all others: at once after the first such end, after this pause from the
   * second on, which doubles each time. A process may be ended for other reasons, again and again, and take innocent rows with it.
   */
  suspectPauseMs?: number;
}

const isDue = (key: InSql<InboxKey>, claim: InSql<Pick<Claim, 'now' | 'suspectPauseMs'>>) => sql`
  lane.consumer = ${key.consumer} AND lane.generation = ${key.generation} AND lane.due_at <= ${claim.now}
  AND lane.position <= ${runnable(key)} AND ${claim.suspectPauseMs === undefined ? IS_FREE : hasPaused(claim.suspectPauseMs)}`;
const IS_FREE = sql`(lane.expires_at IS NULL OR (lane.expires_at <= clock_timestamp() AND head.started = head.finished))`;
/**
 * What ended with its process kept its lease, so the lease tells when that was; and those that wait without one, however many, need not be looked at
 * (`inbox_lanes_leased`).
 */
const hasPaused = (pauseMs: number | RawBuilder<number | undefined>) => sql`
  lane.expires_at <= clock_timestamp() AND head.started > head.finished
  AND lane.expires_at + ${pauseMs} * (2 ^ (head.started - head.finished - 1) - 1) * interval '1 millisecond' <= clock_timestamp()`;
/**
 * A lane with its lowest row. The row is looked for lane by lane (OFFSET 0 keeps the planner from joining another way) and by every column of
 * `inbox_unhandled`: a plan from before the rows came, or without statistics, would else read the whole inbox for each lane.
 */
const HEAD = sql.raw(`inbox_lanes AS lane CROSS JOIN LATERAL (
  SELECT i.started, i.finished FROM inbox AS i
  WHERE i.consumer = lane.consumer AND i.generation = lane.generation AND i.aggregate = lane.aggregate AND i.position = lane.position
    AND i.state = 'pending' OFFSET 0) AS head`);

/** When a look counts: `now` for what is due, and the pause of `Claim.suspectPauseMs`. */
type Look = Required<Pick<Claim, 'now' | 'suspectPauseMs'>>;

/**
 * Whether there is anything that a claim would take: a due lane, or (`suspects`) a due lane whose lowest row was running when its process ended. The consumers of
 * a process that look in the same moment do so in one statement.
 */
export const lookForLanes = (db: Db, key: InboxKey, look: Look): Promise<{ due: boolean; suspects: boolean }> =>
  lookTogether(db, { ...key, ...look });

const WANTED = {
  consumer: sql.ref<string>('wanted.consumer'),
  generation: sql.ref<number>('wanted.generation'),
  now: sql.ref<Date>('wanted.now'),
  suspectPauseMs: sql.ref<number>('wanted.pause_ms'),
};

const lookTogether = askTogether(async (db, all: readonly (InboxKey & Look)[]) => {
  const { rows } = await sql<{ due: boolean; suspects: boolean }>`
    SELECT EXISTS (SELECT 1 FROM ${HEAD} WHERE ${isDue(WANTED, { now: WANTED.now })}) AS due,
      EXISTS (SELECT 1 FROM ${HEAD} WHERE ${isDue(WANTED, WANTED)}) AS suspects
    FROM unnest(
      ${all.map(({ consumer }) => consumer)}::text[], ${all.map(({ generation }) => generation)}::int[],
      ${all.map(({ now }) => now)}::timestamptz[], ${all.map(({ suspectPauseMs }) => suspectPauseMs)}::float8[]
    ) WITH ORDINALITY AS wanted(consumer, generation, now, pause_ms, n) ORDER BY n`.execute(db);
  return rows;
});

/** Whether a due lane waits whose lowest row was running when its process ended. */
export async function hasSuspects(db: Db, key: InboxKey, claim: Required<Pick<Claim, 'now' | 'suspectPauseMs'>>): Promise<boolean> {
  const { rows } = await sql<{
    found: boolean;
  }>`SELECT EXISTS (SELECT 1 FROM ${HEAD} WHERE ${isDue(key, claim)}) AS found`.execute(db);
  return rows[0]?.found === true;
}

/**
 * Leases up to `limit` free lanes that are due at `now`, and notes that their lowest rows are started: they must then run at once. Lanes, and by them rows, are changed where
 * they were found: joined by their keys, both tables would be read from end to end for each claim while the statistics know nothing of a backlog.
 */
export async function claimLanes(db: Db, key: InboxKey, claim: Claim): Promise<LaneRow[]> {
  const { rows } = await sql<LaneRow>`
    WITH free AS (
      SELECT lane.ctid AS place FROM ${HEAD} WHERE ${isDue(key, claim)}
      ORDER BY ${claim.suspectPauseMs === undefined ? sql`lane.due_at, lane.position` : sql`lane.expires_at`} LIMIT ${claim.limit} FOR UPDATE OF lane SKIP LOCKED
    ), taken AS (
      UPDATE inbox_lanes AS lane SET holder = ${claim.holder}, lease = lane.lease + 1, expires_at = ${expiry(claim.ttlMs)}
      WHERE lane.ctid = ANY(ARRAY(SELECT place FROM free))
      RETURNING lane.aggregate, lane.position, lane.lease
    ), lowest AS (
      SELECT i.place FROM taken CROSS JOIN LATERAL (
        SELECT i.ctid AS place FROM inbox AS i
        WHERE i.consumer = ${key.consumer} AND i.generation = ${key.generation} AND i.aggregate = taken.aggregate AND i.position = taken.position
          AND i.state = 'pending' OFFSET 0) AS i
    ), begun AS (
      UPDATE inbox AS i SET started = i.started + 1 WHERE i.ctid = ANY(ARRAY(SELECT place FROM lowest)) AND i.state = 'pending'
      RETURNING ${ROW}
    )
    SELECT ${ROW}, taken.lease FROM begun AS i JOIN taken USING (aggregate, position)`.execute(db);
  return rows.sort((a, b) => a.position - b.position);
}

/**
 * Prolongs the leases of the lanes that this worker is busy with. One that somebody has locked is left for the next time: that is its own transaction, about to commit,
 * or one for which nobody can take it meanwhile. To wait for several would meet those who lock them in order in a deadlock.
 */
export async function renewLanes(db: Db, key: InboxKey, holder: string, aggregates: readonly string[], ttlMs: number): Promise<void> {
  await sql`
    UPDATE inbox_lanes SET expires_at = ${expiry(ttlMs)}
    WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM inbox_lanes
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${aggregates}) AND holder = ${holder}
      FOR UPDATE SKIP LOCKED))`.execute(db);
}

/** Gives back leased lanes whose rows were not begun after all: no attempt counts. */
export async function returnLanes(db: Db, key: InboxKey, holder: string, rows: readonly LaneRow[]): Promise<void> {
  if (rows.length === 0) return;
  // Locked in order, and found by their keys after that: a renewal that was waited for has made new versions of them.
  await sql`
    WITH held AS MATERIALIZED (
      SELECT lane.aggregate FROM inbox_lanes AS lane
      JOIN unnest(${rows.map((row) => row.aggregate)}::text[], ${rows.map((row) => row.lease)}::bigint[]) AS leased(aggregate, lease) USING (aggregate, lease)
      WHERE lane.consumer = ${key.consumer} AND lane.generation = ${key.generation} AND lane.holder = ${holder}
      ORDER BY lane.aggregate FOR UPDATE OF lane
    ), mine AS (
      UPDATE inbox_lanes SET holder = NULL, expires_at = NULL
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(ARRAY(SELECT aggregate FROM held)) AND holder = ${holder}
      RETURNING position
    )
    UPDATE inbox SET started = started - 1
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND position = ANY(ARRAY(SELECT position FROM mine)) AND state = 'pending'`.execute(
    db,
  );
}

/**
 * Locks the lanes (last thing before a commit, in one order) and makes sure that they, and with `live` the generation, are still this worker's.
 * Throws LaneLost.
 */
export async function lockLanes(tx: Db, key: InboxKey, worker: { holder: string; live: boolean }, rows: readonly LaneRow[]): Promise<void> {
  if (worker.live) {
    const { rows: generations } = await sql<{
      live: number;
    }>`SELECT live FROM inbox_generations WHERE consumer = ${key.consumer} FOR KEY SHARE`.execute(tx);
    if (generations[0]?.live !== key.generation) throw new LaneLost(`${key.consumer} generation ${key.generation}`);
  }
  const { rows: held } = await sql<{ aggregate: string; lease: number }>`
    SELECT aggregate, lease FROM inbox_lanes
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${rows.map((row) => row.aggregate)}) AND holder = ${worker.holder}
    ORDER BY aggregate FOR UPDATE`.execute(tx);
  const leases = new Map(held.map((lane) => [lane.aggregate, lane.lease]));
  for (const row of rows) if (leases.get(row.aggregate) !== row.lease) throw new LaneLost(row.aggregate);
}

/**
 * Marks a row done and moves its lane to the next one. With `goOn` the next row, if it may run, is started under the same lease and returned;
 * otherwise the lane is free. The lane must be locked.
 */
export async function completeRow(tx: Db, key: InboxKey, row: LaneRow, step: { goOn: boolean; ttlMs: number }): Promise<LaneRow | null> {
  const { rows } = await sql<{ done: number } & { [Field in keyof LaneRow]: LaneRow[Field] | null }>`
    WITH done AS (
      UPDATE inbox SET state = 'done', finished = finished + 1, handled_at = clock_timestamp()
      WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND message_id = ${row.message_id} AND state = 'pending'
      RETURNING 1
    ), following AS (
      SELECT position, state, (state = 'pending' AND started = finished AND ${step.goOn}::boolean AND position <= ${runnable(key)}) AS goes_on
      FROM inbox WHERE ${ofLane(key, row.aggregate)} AND state IN ('pending', 'dead') AND position > ${row.position}
      ORDER BY position LIMIT 1
    ), emptied AS (
      DELETE FROM inbox_lanes WHERE ${ofLane(key, row.aggregate)} AND NOT EXISTS (SELECT 1 FROM following)
    ), moved AS (
      UPDATE inbox_lanes SET position = following.position,
        due_at = CASE following.state WHEN 'dead' THEN 'infinity'::timestamptz ELSE '-infinity'::timestamptz END,
        holder = CASE WHEN goes_on THEN holder END,
        expires_at = CASE WHEN goes_on THEN ${expiry(step.ttlMs)} END
      FROM following WHERE ${ofLane(key, row.aggregate)}
    ), begun AS (
      UPDATE inbox AS i SET started = i.started + 1 FROM following
      WHERE following.goes_on AND i.consumer = ${key.consumer} AND i.generation = ${key.generation} AND i.position = following.position
      RETURNING ${ROW}
    )
    SELECT (SELECT count(*) FROM done) AS done, begun.* FROM (VALUES (1)) AS one LEFT JOIN begun ON true`.execute(tx);
  const [answer] = rows;
  if (!answer || Number(answer.done) !== 1) throw new LaneLost(row.aggregate);
  if (answer.message_id === null) return null;
  const { done: _done, ...next } = answer;
  return { ...(next as LaneRow), lease: row.lease };
}

/** How an attempt that failed goes on. */
export type Verdict = { kind: 'retry'; dueAt: Date } | { kind: 'dead' };

/**
 * Records a failed attempt and frees the lane until it is due, or for good when the row is dead; a dead one is `discarded` at once, and its lane goes on, when a
 * replay of it waits already. The lane must be locked. Throws LaneLost when the row is done after all: its commit took place and only the answer was lost, and
 * by then the lane is the next row's.
 */
export async function recordFailure(
  tx: Db,
  key: InboxKey,
  row: LaneRow,
  failure: { verdict: Verdict; reason: string; now: Date },
): Promise<'pending' | 'dead' | 'discarded'> {
  const state = failure.verdict.kind === 'retry' ? 'pending' : (await replayWaits(tx, key, row)) ? 'discarded' : 'dead';
  const recorded = await sql`
    UPDATE inbox SET state = ${state}, finished = started, failures = failures + 1,
      first_failed_at = coalesce(first_failed_at, ${failure.now}), reason = ${failure.reason.slice(0, 1000)},
      handled_at = CASE WHEN ${state} = 'discarded' THEN clock_timestamp() END
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND message_id = ${row.message_id} AND state = 'pending'`.execute(
    tx,
  );
  if ((recorded.numAffectedRows ?? 0n) === 0n) throw new LaneLost(row.aggregate);
  if (state === 'discarded') {
    await advanceLanes(tx, key, [row.aggregate]);
    return state;
  }
  await sql`
    UPDATE inbox_lanes SET holder = NULL, expires_at = NULL, due_at = ${failure.verdict.kind === 'retry' ? failure.verdict.dueAt : 'infinity'}::timestamptz
    WHERE ${ofLane(key, row.aggregate)}`.execute(tx);
  return state;
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

/** Whether a replay of this very event comes behind the row. */
async function replayWaits(tx: Db, key: InboxKey, row: LaneRow): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM inbox
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND replay_of = ${row.replay_of ?? row.message_id}
      AND state = 'pending' AND position > ${row.position} LIMIT 1`.execute(tx);
  return rows.length > 0;
}
