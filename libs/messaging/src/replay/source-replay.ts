import { type Envelope } from '@tidegate/contracts/envelope';
import { type Db } from '@tidegate/database/database';
import { type Logger } from '@tidegate/telemetry/logger';
import { type RawBuilder, sql } from 'kysely';
import { type Broker } from '../broker.js';
import { GapFiller } from '../gap-filler.js';
import { type Incoming, PermanentFailure } from '../incoming.js';
import { type InboxKey } from '../inbox-key.js';
import { type LaneRow } from '../inbox-lanes.js';
import { type Taken, takeArrivals } from '../inbox-in-order.js';
import { effectiveBefore } from '../inbox-replays.js';
import { type Arrival } from '../inbox-store.js';
import { readWatermark } from '../inbox-watermark.js';
import { type ProjectionSource, type Tx } from './projection.js';
import { readStream } from './read-stream.js';

/** One source of a projection on its way into a generation of its own beside the live one. */
export interface Replayed extends ProjectionSource {
  live: InboxKey;
  beside: InboxKey;
}

/** Where a replay from a certain place on begins. `touched` is a table (consumer, aggregate) of what it is about. */
export interface Beginning {
  from: { time: Date } | { consumer: string; position: number };
  touched: RawBuilder<unknown>;
}

/** The owner of a stream does not answer, so nobody can say that everything was read. Nothing was changed. */
export class RebuildIncomplete extends Error {
  override name = 'RebuildIncomplete';
}

/** The owner was restored from a backup while its events were being replayed: what was read is not all of the same history. */
export class EpochChanged extends Error {
  override name = 'EpochChanged';
}

const PAGE = 2_000;

/**
 * Hands over everything that the stream still has, and then what only the owner's outbox has. Answers how many came from the stream. Throws RebuildIncomplete
 * when the owner does not answer, and whatever taking them throws.
 */
export async function readSource(
  { db, broker, logger, service }: { db: Db; broker: Broker; logger: Logger; service: string },
  { durable, stream, beside }: Replayed,
  take: (arrivals: Arrival[]) => Promise<unknown>,
): Promise<number> {
  // Whoever reads takes what storing throws for a source that is away; it may be that nobody wants this replay any more.
  const thrown: unknown[] = [];
  const store = (arrivals: Arrival[]) =>
    take(arrivals).catch((error: unknown) => {
      thrown.push(error);
      throw error;
    });
  const fromStream = await readStream(broker, { durable, stream, service }, logger, store);
  const filler = new GapFiller({ db, broker, logger, stream, gapAfterMs: 0, headCheckMs: 0, store }, beside);
  const isWhole = thrown.length === 0 && (await filler.check());
  if (thrown.length > 0) throw thrown[0];
  if (!isWhole) throw new RebuildIncomplete(`The owner of ${stream} does not answer, or does not keep all of it`);
  return fromStream;
}

/**
 * Takes arrivals into the new generation. Those that come in order and that the live generation has handled, as this transaction sees it, are handled at once; all others
 * wait for `handlePage`. The handler's tables must be those of the replay.
 */
export function takePage(
  tx: Tx,
  source: Replayed,
  arrivals: readonly Arrival[],
  { withoutMessages }: { withoutMessages: boolean },
): Promise<Taken> {
  let epochs: ReadonlyMap<Arrival, number> = new Map();
  return takeArrivals(tx, source.beside, arrivals, {
    withoutMessages,
    async among(rows) {
      epochs = await handledLive(tx, source.live, rows);
      return rows.filter((row) => epochs.has(row));
    },
    async run(rows) {
      const messages = rows.map((row) => messageOf(source, row.messageId, epochs.get(row) ?? row.epoch, row));
      if (source.handler.handleAll) return source.handler.handleAll(tx, messages);
      for (const message of messages) await source.handler.handle(tx, message, undefined);
    },
  });
}

/** Those that the live generation has handled, with the epochs that it knows them by. */
async function handledLive(tx: Tx, live: InboxKey, rows: readonly Arrival[]): Promise<ReadonlyMap<Arrival, number>> {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return new Map();
  const between = sql`consumer = ${live.consumer} AND generation = ${live.generation} AND position BETWEEN ${first.position} AND ${last.position}`;
  // Place and epoch name a message, so when all are handled they need not be compared one by one.
  const { rows: counted } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM inbox WHERE ${between} AND state = 'done' AND epoch = ${first.epoch}`.execute(tx);
  if (counted[0]?.n === rows.length && rows.every((row) => row.epoch === first.epoch)) return new Map(rows.map((row) => [row, row.epoch]));
  const { rows: handled } = await sql<{ message_id: string; epoch: number }>`
    SELECT message_id, epoch FROM inbox WHERE ${between} AND state = 'done'`.execute(tx);
  const epochs = new Map(handled.map((row) => [row.message_id, row.epoch]));
  return new Map(rows.flatMap((row) => (epochs.has(row.messageId) ? [[row, epochs.get(row.messageId)!] as const] : [])));
}

/** Takes over what the live generation has stored since, from its own inbox: the stream may be ahead of it or behind. Throws EpochChanged. */
export async function followLive(tx: Tx, { live, beside }: Replayed): Promise<void> {
  const [theirs, ours] = [await readWatermark(tx, live), await readWatermark(tx, beside)];
  if (theirs.epoch !== ours.epoch) throw new EpochChanged(`${live.consumer} is in epoch ${theirs.epoch}, its replay in ${ours.epoch}`);
  await sql`
    INSERT INTO inbox (consumer, generation, message_id, epoch, position, subject, aggregate, bytes, replay_of, stored_at)
    SELECT consumer, ${beside.generation}, message_id, epoch, position, subject, aggregate, bytes, replay_of, stored_at FROM inbox
    WHERE consumer = ${live.consumer} AND generation = ${live.generation} AND position > ${ours.position}
    ON CONFLICT DO NOTHING`.execute(tx);
  if (theirs.position > ours.position)
    await sql`
      UPDATE inbox_watermarks SET position = ${theirs.position}
      WHERE consumer = ${beside.consumer} AND generation = ${beside.generation}`.execute(tx);
}

/** The envelope names it before any data; what is no envelope has none, and stops nobody. */
const OCCURRED_AT = '"occurred_at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z)"';

/** Notes the aggregates that have an event at the beginning or after it, among those above a position. */
export async function noteTouched(tx: Tx, { beside }: Replayed, { from, touched }: Beginning, above: number): Promise<void> {
  if ('consumer' in from && from.consumer !== beside.consumer) return;
  const since =
    'position' in from
      ? sql`position >= ${from.position}`
      : sql`substring(encode(bytes, 'escape') FROM ${OCCURRED_AT})::timestamptz >= ${from.time}`;
  await sql`
    INSERT INTO ${touched} (consumer, aggregate)
    SELECT DISTINCT consumer, aggregate FROM inbox
    WHERE consumer = ${beside.consumer} AND generation = ${beside.generation} AND position > ${above} AND ${since}
    ON CONFLICT DO NOTHING`.execute(tx);
}

/** Races that are lost, no room, locks, timeouts: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isOfTheDatabase = (error: unknown): boolean => /^(40|53|55|57)[0-9A-Z]{3}$/.test((error as { code?: string } | null)?.code ?? '');

type Row = Pick<LaneRow, 'message_id' | 'epoch' | 'position' | 'subject' | 'aggregate' | 'bytes' | 'replay_of'>;

/**
 * Handles, in order of position, the next page of messages that the live generation has handled, as this transaction sees it. What waits, is dead or was
 * discarded there stays untouched here, so that the two differ in nothing but their rows. Answers the last position and how many there were; none when
 * everything above `after` is done. Throws PermanentFailure for a message that cannot be handled.
 */
export async function handlePage(
  tx: Tx,
  source: Replayed,
  after: number,
  beginning: Beginning | null,
): Promise<{ last: number; handled: number }> {
  const { live, beside } = source;
  const about = beginning
    ? sql`AND EXISTS (SELECT 1 FROM ${beginning.touched} AS t WHERE t.consumer = n.consumer AND t.aggregate = n.aggregate)`
    : sql``;
  const { rows } = await sql<Row>`
    SELECT n.message_id, coalesce(l.epoch, n.epoch) AS epoch, n.position, n.subject, n.aggregate, n.bytes, n.replay_of
    FROM inbox AS n LEFT JOIN inbox AS l ON l.consumer = n.consumer AND l.generation = ${live.generation} AND l.message_id = n.message_id
    WHERE n.consumer = ${beside.consumer} AND n.generation = ${beside.generation} AND n.state = 'pending' AND n.position > ${after}
      AND n.position <= (SELECT position FROM inbox_watermarks WHERE consumer = ${live.consumer} AND generation = ${live.generation})
      AND coalesce(l.state, 'done') = 'done' ${about}
    ORDER BY n.position LIMIT ${PAGE}`.execute(tx);
  const passed = source.handler.replays === 'again' ? new Set() : await effectiveBefore(tx, beside, rows);
  await handleRows(
    tx,
    source,
    rows.filter((row) => !passed.has(row.message_id)),
  );
  await sql`
    UPDATE inbox SET state = 'done', started = 1, finished = 1, handled_at = clock_timestamp()
    WHERE consumer = ${beside.consumer} AND generation = ${beside.generation}
      AND message_id = ANY(${rows.map((row) => row.message_id)}::uuid[])`.execute(tx);
  return { last: rows.at(-1)?.position ?? after, handled: rows.length };
}

/** Together where the projector can; what it cannot handle together it is given one by one, which tells on what it fails. */
async function handleRows(tx: Tx, source: Replayed, rows: readonly Row[]): Promise<void> {
  if (source.handler.handleAll && rows.length > 1) {
    await sql`SAVEPOINT together`.execute(tx);
    try {
      return await source.handler.handleAll(
        tx,
        rows.map((row) => messageOf(source, row.message_id, row.epoch, row)),
      );
    } catch (error) {
      if (isOfTheDatabase(error)) throw error;
      await sql`ROLLBACK TO SAVEPOINT together`.execute(tx);
    }
  }
  for (const row of rows) await handle(tx, source, row);
}

/** A projector that fails on one message fails on it again: the replay ends instead of retrying. Unless it was the database that failed. */
async function handle(tx: Tx, source: Replayed, row: Row): Promise<void> {
  try {
    await source.handler.handle(tx, messageOf(source, row.message_id, row.epoch, row), undefined);
  } catch (cause) {
    if (isOfTheDatabase(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PermanentFailure(
      `Message ${row.message_id} of ${source.beside.consumer} (${row.subject}, position ${row.position}) cannot be projected: ${why}`,
      {
        cause,
      },
    );
  }
}

function messageOf(
  { beside, stream }: Replayed,
  messageId: string,
  epoch: number,
  { position, subject, aggregate, bytes, envelope }: Pick<Arrival, 'position' | 'subject' | 'aggregate' | 'bytes' | 'envelope'>,
): Incoming {
  const { consumer, generation } = beside;
  envelope ??= JSON.parse(bytes.toString('utf8')) as Envelope;
  return { consumer, generation, messageId, stream, epoch, position, subject, aggregate, attempt: 1, envelope };
}
