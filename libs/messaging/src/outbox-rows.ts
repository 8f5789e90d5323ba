import { type Db } from '@tidegate/database/database';
import { type Transaction, sql } from 'kysely';

/** A stamped row of the outbox. */
export interface OutboxRow {
  position: number;
  message_id: string;
  aggregate: string;
  subject: string;
  bytes: Buffer;
}

export interface OutboxState {
  epoch: number;
  epoch_start: number;
  floor: number;
  head: number;
  published: number;
}

export async function readOutboxState(db: Db): Promise<OutboxState> {
  const { rows } = await sql<OutboxState>`SELECT epoch, epoch_start, floor, head, published FROM outbox_state`.execute(db);
  const state = rows[0];
  if (!state) throw new Error('Bug: outbox_state has no row');
  return state;
}

/** Stamped rows with position > `after`, ascending: as many as begin within the first `maxBytes` of their messages. */
export async function readStamped(db: Db, after: number, limit: number, maxBytes = Number.MAX_SAFE_INTEGER): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`
    WITH page AS (
      SELECT position, message_id, aggregate, subject, bytes FROM outbox WHERE position > ${after} ORDER BY position LIMIT ${limit}
    ), sized AS (
      SELECT *, sum(octet_length(bytes)) OVER (ORDER BY position) - octet_length(bytes) AS bytes_before FROM page
    )
    SELECT position, message_id, aggregate, subject, bytes FROM sized WHERE bytes_before < ${maxBytes} ORDER BY position`.execute(db);
  return rows;
}

export interface Leadership {
  name: string;
  holder: string;
  epoch: number;
}

/** Another relay leads; what this one holds is outdated. */
export class LeadershipLost extends Error {
  constructor() {
    super('Another relay leads this outbox now');
    this.name = 'LeadershipLost';
  }
}

/** The outbox is not what this relay left: it went back to before positions that were given out, or began another epoch. */
export class HistoryChanged extends Error {
  constructor(found: OutboxHead, known: OutboxHead) {
    super(`The outbox is at ${found.epoch}/${found.head}, and was at ${known.epoch}/${known.head}`);
    this.name = 'HistoryChanged';
  }
}

/** How far positions are given out in an epoch. */
export type OutboxHead = Pick<OutboxState, 'epoch' | 'head'>;

/** A standby that lagged behind became the primary, or the database was restored. */
export const wentBack = (found: OutboxHead, known: OutboxHead): boolean =>
  found.epoch < known.epoch || (found.epoch === known.epoch && found.head < known.head);

/**
 * Gives the next positions to at most `limit` visible rows, in the order of their ids. The lock on the state row comes first and in a statement of its
 * own, so that the rows are looked at as they are after the last stamping has committed; that keeps positions dense even when two relays believe to lead.
 * A lease that ran out stamps nothing, even if nobody has taken it: after a restore under a running relay the row names it still, and the new epoch, which
 * begins with a new term, must come first; and so it must when the outbox is no longer as it was `known`. Throws LeadershipLost, HistoryChanged.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function stampVisible(tx: Transaction<any>, leader: Leadership, limit: number, known?: OutboxHead): Promise<OutboxRow[]> {
  const locked = await sql<OutboxHead>`
    UPDATE outbox_state SET lease_epoch = ${leader.epoch}
    WHERE lease_epoch <= ${leader.epoch}
      AND EXISTS (
        SELECT 1 FROM leases
        WHERE name = ${leader.name} AND holder = ${leader.holder} AND epoch = ${leader.epoch} AND expires_at > clock_timestamp()
      )
    RETURNING epoch, head`.execute(tx);
  const found = locked.rows[0];
  if (!found) throw new LeadershipLost();
  if (known && (found.epoch !== known.epoch || wentBack(found, known))) throw new HistoryChanged(found, known);
  const { head } = found;
  const { rows } = await sql<OutboxRow>`
    WITH batch AS (
      SELECT id, row_number() OVER (ORDER BY id) AS n
      FROM (SELECT id FROM outbox WHERE position IS NULL ORDER BY id LIMIT ${limit}) AS visible
    ), stamped AS (
      UPDATE outbox SET position = ${head}::bigint + batch.n FROM batch WHERE outbox.id = batch.id
      RETURNING outbox.position, outbox.message_id, outbox.aggregate, outbox.subject, outbox.bytes
    ), moved AS (
      UPDATE outbox_state SET head = head + (SELECT count(*) FROM stamped)
    )
    SELECT position, message_id, aggregate, subject, bytes FROM stamped ORDER BY position`.execute(tx);
  return rows;
}

/** The state, with how long the first committed row in line has waited for its position, both as of one moment; null when none waits. */
export async function readOutboxWaiting(db: Db): Promise<OutboxState & { unstamped_ms: number | null }> {
  const { rows } = await sql<OutboxState & { unstamped_ms: number | null }>`
    SELECT epoch, epoch_start, floor, head, published, (
      SELECT greatest(0, (extract(epoch FROM clock_timestamp() - staged_at) * 1000)::bigint) FROM outbox WHERE position IS NULL ORDER BY id LIMIT 1
    ) AS unstamped_ms FROM outbox_state`.execute(db);
  const state = rows[0];
  if (!state) throw new Error('Bug: outbox_state has no row');
  return state;
}

export async function hasUnstamped(db: Db): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`SELECT EXISTS (SELECT 1 FROM outbox WHERE position IS NULL) AS found`.execute(db);
  return rows[0]?.found === true;
}

/**
 * Notes that everything up to `position` is with the broker. Says nothing when a newer leader has written meanwhile, or when the database was restored to
 * before that position: what gets it next is another message.
 */
export async function checkpointPublished(db: Db, position: number, leaseEpoch: number): Promise<void> {
  await sql`
    UPDATE outbox_state SET published = ${position}, lease_epoch = ${leaseEpoch}
    WHERE lease_epoch <= ${leaseEpoch} AND published < ${position} AND head >= ${position}`.execute(db);
}

/**
 * Positions after the head are about to be given out a second time (a restore from a backup): a new epoch, above all that anybody has heard of, tells consumers so.
 * Its number; null when the outbox is no longer as it was `found`: another relay has begun one.
 */
export async function startNewEpoch(db: Db, found: OutboxHead, heardOf = 0): Promise<number | null> {
  const { rows } = await sql<{ epoch: number }>`
    UPDATE outbox_state
    SET epoch = greatest(epoch + 1, ${heardOf}::bigint + 1, extract(epoch FROM clock_timestamp())::bigint), epoch_start = head + 1
    WHERE epoch = ${found.epoch} AND head = ${found.head}
    RETURNING epoch`.execute(db);
  return rows[0]?.epoch ?? null;
}
