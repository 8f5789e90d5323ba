import { randomUUID } from 'node:crypto';
import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { LEASE_TTL_MS } from '@tidegate/database/lease';
import { type Logger } from '@tidegate/telemetry/logger';
import { sql, type Transaction } from 'kysely';
import { BATCH_LANES, BatchRunner } from './batch-runner.js';
import { type Broker } from './broker.js';
import { GapFiller } from './gap-filler.js';
import { forgetOldGenerations, promoteGeneration, startGeneration } from './generations.js';
import { type Handler, PermanentFailure } from './incoming.js';
import { claimLanes } from './inbox-lanes.js';
import { type InboxKey } from './inbox-key.js';
import { type Arrival, storeArrivals } from './inbox-store.js';
import { readWatermark } from './inbox-watermark.js';
import {
  createShadows,
  dropShadows,
  lookAtShadows,
  replaceRows,
  type Schemas,
  schemasOfConnection,
  stopWriters,
} from './rebuild-tables.js';
import { replayStream } from './stream-replay.js';

/** One durable that fills the tables, and the pure projector that does it: table access only, and only to the tables being rebuilt. */
export interface RebuildSource {
  durable: string;
  stream: StreamName;
  handler: Handler;
}

export interface RebuildOptions {
  /** Opened as the service's role: its schema is the one rebuilt. */
  db: Db;
  broker: Broker;
  logger: Logger;
  service: string;
  sources: readonly RebuildSource[];
  /** Tables to fill, parents first. The handlers name them without schema. */
  into: readonly string[];
  /** Runs in the transaction of the change-over, after the rows were replaced. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  afterReplace?: (tx: Transaction<any>) => Promise<void>;
}

export interface Rebuilt {
  sources: { durable: string; generation: number; position: number; fromStream: number; handled: number }[];
}

/** The owner of a stream does not answer, so nobody can say that everything was read. Nothing was changed. */
export class RebuildIncomplete extends Error {
  override name = 'RebuildIncomplete';
}

/**
 * Rebuilds projection tables from events in a new generation, beside the live one: replays each stream from its start, reads from the owner's outbox
 * what the stream no longer reaches, runs the handlers into shadow tables, and then changes rows and generation over in one transaction. The live
 * subscribers go on meanwhile and continue in the new generation. Throws, and changes nothing live, when a message cannot be handled or an owner is away.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const schemas = await schemasOfConnection(options.db);
  await createShadows(options.db, schemas, options.into);
  try {
    const filled = await inParallel(options.sources, async (source) => ({ source, ...(await fill(options, source)) }));
    // One source after the other, each in batches over many aggregates.
    const sources: Rebuilt['sources'] = [];
    for (const { source, key, fromStream } of filled) {
      const handled = await handleAll(options, source, key, schemas);
      const { position } = await readWatermark(options.db, key);
      sources.push({ durable: source.durable, generation: key.generation, position, fromStream, handled });
    }
    await changeOver(options.db, async (tx) => {
      await stopWriters(tx, schemas, options.into);
      for (const { key } of filled) await promoteGeneration(tx, key);
      await replaceRows(tx, schemas, options.into);
      await options.afterReplace?.(tx);
    });
    for (const { key } of filled) await forgetOldGenerations(options.db, key);
    options.logger.info({ event: 'projection_rebuilt', tables: options.into, sources }, 'Projection tables were rebuilt from events');
    return { sources };
  } finally {
    await dropShadows(options.db, schemas, options.into);
  }
}

const DEADLOCK_DETECTED = '40P01';
const CHANGE_OVERS = 5;

/** A handler that writes to several tables in another order than ours may meet us in a deadlock; whoever lost it tries again. */
async function changeOver(db: Db, work: (tx: Transaction<unknown>) => Promise<void>): Promise<void> {
  for (let left = CHANGE_OVERS - 1; ; left--) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (left === 0 || (error as { code?: string }).code !== DEADLOCK_DETECTED) throw error;
    }
  }
}

async function fill(options: RebuildOptions, source: RebuildSource): Promise<{ key: InboxKey; fromStream: number }> {
  const { db, broker, logger, service } = options;
  const key = await startGeneration(db, source.durable, source.stream);
  const store = (arrivals: Arrival[]) => db.transaction().execute((tx) => storeArrivals(tx, key, arrivals));
  const fromStream = await replayStream(broker, { durable: source.durable, stream: source.stream, service }, logger, store);
  const filler = new GapFiller({ db, broker, logger, stream: source.stream, gapAfterMs: 0, headCheckMs: 0, store }, key);
  if (!(await filler.check())) throw new RebuildIncomplete(`The owner of ${source.stream} does not answer`);
  return { key, fromStream };
}

async function handleAll(options: RebuildOptions, source: RebuildSource, key: InboxKey, schemas: Schemas): Promise<number> {
  const holder = `rebuild:${randomUUID()}`;
  const { replays = 'pass' } = source.handler;
  const handler: Handler = { handle: (tx, message) => handleOrGiveUp(source.handler, tx, message), replays, projector: true };
  const clock = { now: () => new Date() };
  const runner = new BatchRunner(
    {
      ...options,
      failpoints: noFailpoints,
      clock,
      durable: source.durable,
      stream: source.stream,
      handler,
      holder,
      live: false,
      laneLeaseMs: 12 * LEASE_TTL_MS,
      firstRetryMs: 100,
      longestRetryMs: 100,
      giveUpAfterMs: 0,
      beforeHandle: (tx) => lookAtShadows(tx, schemas),
    },
    key,
  );
  for (;;) {
    const heads = await claimLanes(options.db, key, { holder, now: clock.now(), limit: BATCH_LANES, ttlMs: 12 * LEASE_TTL_MS });
    if (heads.length === 0) break;
    await runner.run(heads, () => true);
  }
  return outcome(options.db, key);
}

/** A projector that fails on one message fails on it again: the rebuild ends instead of retrying. */
async function handleOrGiveUp(
  handler: Handler,
  ...[tx, message]: [Parameters<Handler['handle']>[0], Parameters<Handler['handle']>[1]]
): Promise<void> {
  try {
    await handler.handle(tx, message, undefined);
  } catch (cause) {
    throw new PermanentFailure(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function outcome(db: Db, key: InboxKey): Promise<number> {
  const { rows } = await sql<{ done: number; dead: number; pending: number; reason: string | null }>`
    SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'dead') AS dead,
      count(*) FILTER (WHERE state = 'pending' AND position <= (SELECT position FROM inbox_watermarks WHERE consumer = ${key.consumer} AND generation = ${key.generation})) AS pending,
      min(reason) FILTER (WHERE state = 'dead') AS reason
    FROM inbox WHERE consumer = ${key.consumer} AND generation = ${key.generation}`.execute(db);
  const { done = 0, dead = 0, pending = 0, reason = null } = rows[0] ?? {};
  if (dead > 0 || pending > 0)
    throw new PermanentFailure(`${dead} messages of ${key.consumer} cannot be projected (${reason ?? 'unknown'}); nothing was changed`);
  return done;
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  return Promise.all(items.map(work));
}
