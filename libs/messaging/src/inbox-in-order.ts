import { setImmediate as turn } from 'node:timers/promises';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { replayOf } from './inbox-replays.js';
import { type Arrival, isFresh, type Stored, storeWaiting } from './inbox-store.js';
import { advanceWatermark, readWatermark, type Watermark } from './inbox-watermark.js';

/** What messages do that come in order. */
export interface InOrder {
  /** Fewer than these are not worth it; 1 by default. */
  atLeast?: number;
  /** Which of these rows, in order of position, may take effect already; all by default. */
  among?(rows: readonly Arrival[]): Promise<readonly Arrival[]>;
  /** Their effect, in this transaction. They come in order of position. */
  run(rows: readonly Arrival[]): Promise<void>;
  /** Their rows are kept without the messages themselves: nothing will look into them any more. */
  withoutMessages?: boolean;
  /** The effect was rolled back; all wait in their lanes. */
  failed?(error: unknown): void;
}

export interface Taken extends Stored {
  /** Arrivals that took effect at once. */
  ran: readonly Arrival[];
}

/**
 * Takes arrivals as `storeArrivals` does, but those that follow the watermark without a hole, whose lanes are empty, are stored as done together with their effect instead of
 * waiting to be read and written again. Everything else waits in its lane: what is above a hole, what comes behind a waiting message of its aggregate, replays of
 * an event, and all of them when the effect fails. The lock on the watermark keeps everybody else from storing for this generation, so that no lane opens meanwhile.
 */
export async function takeArrivals(tx: Db, key: InboxKey, arrivals: readonly Arrival[], inOrder: InOrder): Promise<Taken> {
  const known = await readWatermark(tx, key, { lock: true });
  const following = followingOf(arrivals, known);
  const ready = following.length < (inOrder.atLeast ?? 1) ? [] : await readyOf(tx, key, following, inOrder);
  const ran = ready.length > 0 && (await ranAtOnce(tx, key, ready, inOrder)) ? ready : [];
  const atOnce = new Set(ran);
  const { added, unknownEpoch } = await storeWaiting(
    tx,
    key,
    arrivals.filter((one) => !atOnce.has(one)),
    known,
  );
  const stored = ran.length === following.length ? known.position + ran.length : known.position;
  const watermark = added + ran.length === 0 ? known.position : await advanceWatermark(tx, key, known.position, stored);
  return { watermark, added: added + ran.length, unknownEpoch, ran };
}

/** Those whose positions follow the watermark one by one. */
function followingOf(arrivals: readonly Arrival[], known: Watermark): Arrival[] {
  const following: Arrival[] = [];
  const ids = new Set<string>();
  for (const one of arrivals.filter((arrival) => isFresh(arrival, known)).sort((a, b) => a.position - b.position)) {
    if (one.position !== known.position + following.length + 1) continue;
    if (ids.has(one.messageId)) return following;
    ids.add(one.messageId);
    following.push(one);
  }
  return following;
}

async function readyOf(tx: Db, key: InboxKey, following: readonly Arrival[], { among }: InOrder): Promise<Arrival[]> {
  const allowed = new Set(among ? await among(following) : following);
  const { rows } = await sql<{ aggregate: string }>`
    SELECT aggregate FROM inbox_lanes
    WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${[...new Set(following.map((one) => one.aggregate))]})`.execute(
    tx,
  );
  const held = new Set(rows.map((row) => row.aggregate));
  return following.filter((one) => {
    if (!allowed.has(one) || isReplay(one)) held.add(one.aggregate);
    return !held.has(one.aggregate);
  });
}

const isReplay = ({ envelope, bytes }: Arrival): boolean => (envelope ? envelope.replay_of !== undefined : replayOf(bytes) !== null);

/** Whether they took effect. The database stores the rows while the effect is made ready; what fails takes both back. */
async function ranAtOnce(tx: Db, key: InboxKey, ready: readonly Arrival[], { run, withoutMessages, failed }: InOrder): Promise<boolean> {
  await sql`SAVEPOINT in_order`.execute(tx);
  const [stored, ran] = await Promise.allSettled([insertDone(tx, key, ready, withoutMessages === true), turn().then(() => run(ready))]);
  if (stored.status === 'fulfilled' && ran.status === 'fulfilled') {
    await sql`RELEASE SAVEPOINT in_order`.execute(tx);
    return true;
  }
  await sql`ROLLBACK TO SAVEPOINT in_order`.execute(tx);
  // Without the rows no statement of the effect went through.
  if (stored.status === 'fulfilled') failed?.(ran.status === 'rejected' ? ran.reason : undefined);
  else if (!isStoredAlready(stored.reason)) failed?.(stored.reason);
  return false;
}

/** A message that has a row already has had its effect, or waits. */
const isStoredAlready = (error: unknown): boolean => (error as { code?: string } | null)?.code === UNIQUE_VIOLATION;

/**
 * Throws for a message that has a row already: to leave such rows out takes Postgres nearly twice as long for all others. The messages go as one value of bytes: as an array each byte
 * would go as two characters and each message be escaped.
 */
async function insertDone(tx: Db, key: InboxKey, rows: readonly Arrival[], withoutMessages: boolean): Promise<void> {
  const messages = rows.map(({ bytes }) => (withoutMessages ? EMPTY : bytes));
  let end = 1;
  const starts = messages.map((bytes) => (end += bytes.length) - bytes.length);
  await sql`
    INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes, state, started, finished, handled_at)
    SELECT ${key.consumer}, ${key.generation}, message_id, epoch, position, subject, aggregate,
      substring(${Buffer.concat(messages)}::bytea FROM start FOR length), 'done', 1, 1, clock_timestamp()
    FROM unnest(
      ${rows.map((one) => one.messageId)}::uuid[], ${rows.map((one) => one.epoch)}::bigint[], ${rows.map((one) => one.position)}::bigint[],
      ${rows.map((one) => one.subject)}::text[], ${rows.map((one) => one.aggregate)}::text[], ${starts}::int[], ${messages.map((bytes) => bytes.length)}::int[]
    ) AS arrival(message_id, epoch, position, subject, aggregate, start, length)`.execute(tx);
}

const EMPTY = Buffer.alloc(0);
/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNIQUE_VIOLATION = '23505';
