import { type Envelope } from '@tidegate/contracts/envelope';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { advanceWatermark, readWatermark, type Watermark } from './inbox-watermark.js';
import { replayOf, supersedeDead } from './inbox-replays.js';
import { type Place } from './position-header.js';

/** A message that came from the stream or from the owner's outbox, about to be stored. */
export interface Arrival extends Place {
  messageId: string;
  subject: string;
  aggregate: string;
  bytes: Buffer;
  /** What the bytes say, where somebody has read them already. */
  envelope?: Envelope;
}

/** Whether messages of this subject have no effect. */
export type PassesBy = (subject: string) => boolean;
const never: PassesBy = () => false;

export interface Stored {
  /** Where the watermark is now. */
  watermark: number;
  /** Rows that were new. */
  added: number;
  /** Arrivals of an epoch that is not known yet; not stored. Ask the owner, then store them again. */
  unknownEpoch: Arrival[];
}

/**
 * Stores arrivals once, opens their lanes and moves the watermark, under its row lock. Arrivals at or below the watermark are duplicates. Arrivals of a
 * past epoch at positions that the owner's restored history gave out again are dropped. Those of subjects that pass by are stored as done.
 */
export async function storeArrivals(tx: Db, key: InboxKey, arrivals: readonly Arrival[], passesBy: PassesBy = never): Promise<Stored> {
  const known = await readWatermark(tx, key, { lock: true });
  const stored = await storeWaiting(tx, key, arrivals, known, passesBy);
  const watermark = stored.added === 0 ? known.position : await advanceWatermark(tx, key, known.position);
  return { watermark, ...stored };
}

/** Stores arrivals as waiting, but for those that pass by, and opens their lanes; the watermark, which must be locked, stays where it is. */
export async function storeWaiting(
  tx: Db,
  key: InboxKey,
  arrivals: readonly Arrival[],
  known: Watermark,
  passesBy: PassesBy = never,
): Promise<Omit<Stored, 'watermark'>> {
  const fresh = arrivals.filter((one) => isFresh(one, known));
  const added = fresh.length === 0 ? [] : await insert(tx, key, fresh, passesBy);
  if (added.length > 0) await openLanes(tx, key, added);
  await supersedeDead(tx, key, fresh);
  return { added: added.length, unknownEpoch: arrivals.filter((one) => one.epoch > known.epoch) };
}

/** Above the watermark, and of the history that the owner has now. */
export const isFresh = ({ epoch, position }: Place, known: Watermark): boolean =>
  position > known.position && (epoch === known.epoch || (epoch < known.epoch && position < known.epoch_start));

interface Added {
  aggregate: string;
  position: number;
  state: string;
}

/** What a new epoch discarded. */
const HAS_NOT_RUN = sql`(inbox.state = 'discarded' AND inbox.handled_at IS NULL)`;

/** A row without a position lost it to a new epoch; if the same message comes back, it has its place again, and runs unless it did. */
async function insert(tx: Db, key: InboxKey, arrivals: readonly Arrival[], passesBy: PassesBy): Promise<Added[]> {
  const byId = new Map(arrivals.map((one) => [one.messageId, one]));
  const unique = [...byId.values()].sort((a, b) => a.position - b.position);
  const { rows } = await sql<Added>`
    INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes, replay_of, state, started, finished, handled_at)
    SELECT ${key.consumer}, ${key.generation}, message_id, epoch, position, subject, aggregate, bytes, replay_of,
      CASE WHEN passes THEN 'done' ELSE 'pending' END, passes::int, passes::int, CASE WHEN passes THEN clock_timestamp() END
    FROM unnest(
      ${unique.map((one) => one.messageId)}::uuid[], ${unique.map((one) => one.epoch)}::bigint[], ${unique.map((one) => one.position)}::bigint[],
      ${unique.map((one) => one.subject)}::text[], ${unique.map((one) => one.aggregate)}::text[], ${unique.map((one) => one.bytes)}::bytea[],
      ${unique.map((one) => replayOf(one.bytes))}::uuid[], ${unique.map((one) => passesBy(one.subject))}::boolean[]
    ) AS arrival(message_id, epoch, position, subject, aggregate, bytes, replay_of, passes)
    ORDER BY position
    ON CONFLICT (consumer, generation, message_id) DO UPDATE SET position = excluded.position, epoch = excluded.epoch,
      state = CASE WHEN ${HAS_NOT_RUN} THEN excluded.state ELSE inbox.state END, reason = CASE WHEN NOT ${HAS_NOT_RUN} THEN inbox.reason END
    WHERE inbox.position IS NULL
    RETURNING aggregate, position, state`.execute(tx);
  return rows;
}

async function openLanes(tx: Db, key: InboxKey, added: readonly Added[]): Promise<void> {
  const lowest = new Map<string, number>();
  for (const row of added) {
    if (row.state === 'pending') lowest.set(row.aggregate, Math.min(row.position, lowest.get(row.aggregate) ?? Infinity));
  }
  if (lowest.size === 0) return;
  await sql`
    INSERT INTO inbox_lanes AS lane (consumer, generation, aggregate, position)
    SELECT ${key.consumer}, ${key.generation}, aggregate, position
    FROM unnest(${[...lowest.keys()]}::text[], ${[...lowest.values()]}::bigint[]) AS opened(aggregate, position)
    ORDER BY aggregate
    ON CONFLICT (consumer, generation, aggregate) DO UPDATE SET position = excluded.position, due_at = '-infinity'
    WHERE excluded.position < lane.position`.execute(tx);
}
