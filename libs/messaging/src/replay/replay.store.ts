import { EVENT_REPLAY_STATUSES, type EventReplayView, type RowDifference } from '@tidegate/contracts/ops/event-replays';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type Progress } from './beside.js';
import { type Differences } from './differences.js';

/** Where it is; see the migration. */
export type ReplayState =
  'queued' | 'reading' | 'replaying' | 'ready' | 'swapping' | 'swapped' | 'stopping' | 'done' | 'stopped' | 'failed' | 'expired';
export type FinalState = Extract<ReplayState, 'done' | 'stopped' | 'failed' | 'expired'>;

export interface ReplayRow {
  id: string;
  consumer: string;
  projection: string;
  from_time: Date | null;
  from_position: number | null;
  state: ReplayState;
  begun: number;
  actor: string;
  reason: string;
  requested_at: Date;
  swap_actor: string | null;
  swap_reason: string | null;
  total: number;
  read: number;
  handled: number;
  missing: number | null;
  extra: number | null;
  different: number | null;
  failure: string | null;
  finished_at: Date | null;
}

export type NewReplay = Pick<
  ReplayRow,
  'id' | 'consumer' | 'projection' | 'from_time' | 'from_position' | 'actor' | 'reason' | 'requested_at' | 'swap_actor' | 'swap_reason'
>;

/** The attempt that may go on. */
export interface Hold {
  id: string;
  holder: string;
}

/** Another process works on it now. */
export class Superseded extends Error {
  override name = 'Superseded';
}

/** A person wants it to end. */
export class StopWanted extends Error {
  override name = 'StopWanted';
}

const LEASE_MS = 5_000;
/** The process that has the tables beside comes first. */
const HEAD_START_MS = 3_000;
const COLUMNS = sql.raw(
  'r.id, r.consumer, r.projection, r.from_time, r.from_position, r.state, r.begun, r.actor, r.reason, r.requested_at, r.swap_actor, r.swap_reason, r.total, r.read, r.handled, r.missing, r.extra, r.different, r.failure, r.finished_at',
);
const leaseUntil = (ms = LEASE_MS) => sql`clock_timestamp() + ${ms} * interval '1 millisecond'`;

/** Writes a wish down. A `ready` one of the same projection that nobody wanted swapped gives way; answers the id of one that does not, and null when it is written. */
export async function requestReplay(tx: Db, wish: NewReplay): Promise<string | null> {
  await sql`
    UPDATE event_replays SET state = 'stopped', finished_at = ${wish.requested_at}, holder = NULL
    WHERE projection = ${wish.projection} AND state = 'ready'`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    INSERT INTO event_replays (id, consumer, projection, from_time, from_position, actor, reason, requested_at, swap_actor, swap_reason)
    VALUES (${wish.id}, ${wish.consumer}, ${wish.projection}, ${wish.from_time}, ${wish.from_position}, ${wish.actor}, ${wish.reason}, ${wish.requested_at},
      ${wish.swap_actor}, ${wish.swap_reason})
    ON CONFLICT (projection) WHERE finished_at IS NULL DO NOTHING RETURNING id`.execute(tx);
  if (rows.length > 0) return null;
  const { rows: others } = await sql<{ id: string; consumer: string }>`
    SELECT id, consumer FROM event_replays WHERE projection = ${wish.projection} AND finished_at IS NULL`.execute(tx);
  return others[0]?.id ?? wish.id;
}

/**
 * Takes up the oldest one that somebody has to work on: new, left behind by a process that is gone, to be swapped in or to be cleaned up after. Null when there is
 * none. With `id` only that one.
 */
export async function claimReplay(
  db: Db,
  attempt: { holder: string; instance: string; now: Date; id?: string },
): Promise<ReplayRow | null> {
  const { rows } = await sql<ReplayRow>`
    UPDATE event_replays AS r SET holder = ${attempt.holder}, lease_until = ${leaseUntil()}
    WHERE r.id = (
      SELECT id FROM event_replays
      WHERE finished_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp() OR (state = 'swapping' AND holder IS NULL AND built_by = ${attempt.instance}))
        AND (state <> 'ready' OR ready_until <= ${attempt.now}) ${attempt.id === undefined ? sql`` : sql`AND id = ${attempt.id}::uuid`}
      ORDER BY requested_at FOR UPDATE SKIP LOCKED LIMIT 1)
    RETURNING ${COLUMNS}`.execute(db);
  return rows[0] ?? null;
}

/** Keeps it from others until the transaction ends, and for a lease more. Throws Superseded or StopWanted. */
export async function holdReplay(tx: Db, { id, holder }: Hold, progress?: Progress): Promise<void> {
  const counted = progress ? sql`, total = ${progress.total}, read = ${progress.read}, handled = ${progress.handled}` : sql``;
  const { rows } = await sql<{ state: ReplayState }>`
    UPDATE event_replays SET lease_until = ${leaseUntil()} ${counted}
    WHERE id = ${id} AND holder = ${holder} AND finished_at IS NULL RETURNING state`.execute(tx);
  if (!rows[0]) throw new Superseded(`Another process works on ${id}`);
  if (rows[0].state === 'stopping') throw new StopWanted();
}

/** From one state to another, unless it was stopped. Throws Superseded or StopWanted. */
export async function moveReplay(tx: Db, hold: Hold, state: ReplayState): Promise<void> {
  await holdReplay(tx, hold);
  await sql`UPDATE event_replays SET state = ${state} WHERE id = ${hold.id}`.execute(tx);
}

/** An attempt begins; answers which one. */
export async function countBeginning(tx: Db, hold: Hold): Promise<number> {
  await moveReplay(tx, hold, 'reading');
  const { rows } = await sql<{ begun: number }>`
    UPDATE event_replays SET begun = begun + 1, read = 0, handled = 0 WHERE id = ${hold.id} RETURNING begun`.execute(tx);
  return rows[0]?.begun ?? 0;
}

/** What a comparison found takes the place of what an earlier one did. */
export async function recordDifferences(tx: Db, id: string, { counts, rows }: Differences): Promise<void> {
  await sql`
    UPDATE event_replays SET missing = ${counts.missing}, extra = ${counts.extra}, different = ${counts.different} WHERE id = ${id}`.execute(
    tx,
  );
  await sql`DELETE FROM event_replay_differences WHERE replay = ${id}`.execute(tx);
  await sql`
    INSERT INTO event_replay_differences (replay, n, table_name, key, kind, live, replayed)
    SELECT ${id}, n, row ->> 'table', row -> 'key', row ->> 'kind', row -> 'live', row -> 'replayed'
    FROM json_array_elements(${JSON.stringify(rows)}::json) WITH ORDINALITY AS r(row, n)`.execute(tx);
}

/** It waits for somebody who wants it swapped in. */
export async function leaveReady(tx: Db, hold: Hold, { instance, until }: { instance: string; until: Date }): Promise<void> {
  await moveReplay(tx, hold, 'ready');
  await sql`
    UPDATE event_replays SET built_by = ${instance}, ready_until = ${until}, holder = NULL, lease_until = NULL WHERE id = ${hold.id}`.execute(
    tx,
  );
}

/** Lets another attempt have it. */
export async function letGo(db: Db, { id, holder }: Hold): Promise<void> {
  await sql`UPDATE event_replays SET holder = NULL, lease_until = NULL WHERE id = ${id} AND holder = ${holder}`.execute(db);
}

export async function finishReplay(db: Db, { id, holder }: Hold, end: { state: FinalState; at: Date; failure?: string }): Promise<void> {
  await sql`
    UPDATE event_replays SET state = ${end.state}, failure = ${end.failure ?? null}, finished_at = ${end.at}, holder = NULL, lease_until = NULL
    WHERE id = ${id} AND holder = ${holder}`.execute(db);
}

/** A `ready` one is to be swapped in. False when it is not ready (any more). */
export async function wantSwap(tx: Db, id: string, { actor, reason }: { actor: string; reason: string }): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE event_replays SET state = 'swapping', swap_actor = ${actor}, swap_reason = ${reason}, lease_until = ${leaseUntil(HEAD_START_MS)}
    WHERE id = ${id} AND state = 'ready'`.execute(tx);
  return numAffectedRows === 1n;
}

/** An unfinished one is to end without a change. False when it is swapped in, or over. */
export async function wantStop(tx: Db, id: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE event_replays SET state = 'stopping' WHERE id = ${id} AND finished_at IS NULL AND state <> 'swapped'`.execute(tx);
  return numAffectedRows === 1n;
}

export async function findReplay(db: Db, id: string): Promise<ReplayRow | null> {
  const { rows } = await sql<ReplayRow>`SELECT ${COLUMNS} FROM event_replays AS r WHERE id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/** Newest first. */
export async function listReplays(db: Db, query: { before?: { at: Date; id: string }; limit: number }): Promise<ReplayRow[]> {
  const older = query.before ? sql`WHERE (requested_at, id) < (${query.before.at}, ${query.before.id}::uuid)` : sql``;
  const { rows } = await sql<ReplayRow>`
    SELECT ${COLUMNS} FROM event_replays AS r ${older} ORDER BY requested_at DESC, id DESC LIMIT ${query.limit}`.execute(db);
  return rows;
}

export async function listDifferences(db: Db, id: string): Promise<RowDifference[]> {
  const { rows } = await sql<RowDifference>`
    SELECT table_name AS "table", key, kind, live, replayed FROM event_replay_differences WHERE replay = ${id} ORDER BY n`.execute(db);
  return rows;
}

export async function countReplays(db: Db): Promise<Record<EventReplayView['status'], number>> {
  const { rows } = await sql<{ state: ReplayState; n: number }>`SELECT state, count(*) AS n FROM event_replays GROUP BY state`.execute(db);
  const counts = Object.fromEntries(EVENT_REPLAY_STATUSES.map((status) => [status, 0])) as Record<EventReplayView['status'], number>;
  for (const { state, n } of rows) counts[statusOf(state)] += n;
  return counts;
}

/** What others are told of a state. */
export function statusOf(state: ReplayState): EventReplayView['status'] {
  if (state === 'reading' || state === 'replaying') return 'running';
  return state === 'swapped' ? 'swapping' : state;
}
