import { type Db } from '@tidegate/database/database';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Logger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { type Broker } from '../broker.js';
import { forgetOtherGenerations, promoteGeneration, startGeneration } from '../generations.js';
import { liveGeneration, readWatermark } from '../inbox-watermark.js';
import { type Differences, differencesOf, type Extent, MOST_ROWS, replaceDifferences } from './differences.js';
import { type EventCursor, type Projection, type Tx, type Unaccounted } from './projection.js';
import { type Arrival, storeArrivals } from '../inbox-store.js';
import { type Beginning, followLive, handlePage, noteTouched, readSource, type Replayed, takePage } from './source-replay.js';
import {
  analyzeShadows,
  createShadows,
  dropShadows,
  lookAtLive,
  lookAtShadows,
  type Schemas,
  schemasOfConnection,
  stopWriters,
  touchedTable,
} from './shadow-tables.js';

export interface BesideOptions {
  /** Opened as the service's role: its schema is the one replayed. */
  db: Db;
  broker: Broker;
  logger: Logger;
  failpoints: Failpoints;
  service: string;
  /** Everything by default. */
  from?: Beginning['from'];
  /** First in each transaction; throws when this replay is no longer wanted, or no longer this process's. */
  hold?(tx: Tx, progress: Progress): Promise<void>;
}

/** Messages of all sources. */
export interface Progress {
  /** Positions that the live consumers have stored. */
  total: number;
  read: number;
  handled: number;
}

/** Statistics are made when there is so many times as much as at the last time. */
const ANALYZE_AGAIN = 8;
/** What is left to do is done in the transaction that compares. */
const FEW = 100;
const ATTEMPTS = 5;
const LOCK_WAIT = '3s';
/** Deadlock, lost a race, lock not available: the one who lost tries again. */
const AGAIN = ['40P01', '40001', '55P03'];

/**
 * A projection that is made a second time from its events, in tables of its own beside the live ones, which go on: read the streams, handle, compare, swap. The
 * sides are compared in one snapshot after exactly the same messages, so they differ only in what is wrong with one of them.
 */
export class Beside {
  readonly progress: Progress = { total: 0, read: 0, handled: 0 };
  private readonly fromStream = new Map<string, number>();
  private readonly handled = new Map<string, number>();
  private cursor: EventCursor = { after: 0, gaps: [] };
  /** By durable: up to where it is noted which aggregates are touched. */
  private readonly noted = new Map<string, number>();

  private constructor(
    private readonly options: BesideOptions,
    private readonly projection: Projection,
    private readonly schemas: Schemas,
    private readonly sources: readonly Replayed[],
  ) {}

  /** Makes the tables and the generations, empty. Whatever an earlier replay left behind goes. */
  static async begin(options: BesideOptions, projection: Projection): Promise<Beside> {
    const { db } = options;
    const schemas = await schemasOfConnection(db);
    if (projection.create) await projection.create.execute(db);
    return db.transaction().execute(async (tx) => {
      await options.hold?.(tx, { total: 0, read: 0, handled: 0 });
      await createShadows(tx, schemas, projection.tables, projection.lookups);
      const sources: Replayed[] = [];
      for (const source of projection.sources) sources.push({ ...source, ...(await startGeneration(tx, source.durable, source.stream)) });
      return new Beside(options, projection, schemas, sources);
    });
  }

  /** Reads all there is of every source, and handles what comes in order. Throws RebuildIncomplete. */
  async read(): Promise<void> {
    for (const { live } of this.sources) this.progress.total += (await readWatermark(this.options.db, live)).position;
    let toAnalyze = 1;
    let analyzing: Promise<void> | null = null;
    for (const source of this.sources) {
      const before = this.progress.read;
      const take = async (arrivals: Arrival[]) => {
        const { watermark, handled } = await this.inPage((tx) => this.take(tx, source, arrivals));
        this.progress.read = before + watermark;
        this.count(source, handled);
        if (this.progress.read < toAnalyze) return;
        toAnalyze = this.progress.read * ANALYZE_AGAIN;
        analyzing ??= this.analyze().finally(() => (analyzing = null));
      };
      this.fromStream.set(source.durable, await readSource(this.options, source, take).finally(() => analyzing));
    }
  }

  /**
   * Such a page need not reach the disk at once: how far it came is known by nothing but the watermark in the same transaction, and when Postgres crashes, the last ones are gone as
   * a whole. What only some of the events touch is known when all are read.
   */
  private async take(tx: Tx, source: Replayed, arrivals: readonly Arrival[]): Promise<{ watermark: number; handled: number }> {
    await sql`SET LOCAL synchronous_commit = off`.execute(tx);
    if (this.beginning) return { ...(await storeArrivals(tx, source.beside, arrivals)), handled: 0 };
    await lookAtShadows(tx, this.schemas);
    const { watermark, ran } = await takePage(tx, source, arrivals, { withoutMessages: this.projection.unaccounted === undefined });
    return { watermark, handled: ran.length };
  }

  /**
   * A fresh generation and fresh tables are empty for the planner, however much there is by now: it would read all of it for each page. The next page goes on meanwhile; without
   * statistics it is slower and nothing else.
   */
  private async analyze(): Promise<void> {
    try {
      await this.options.db.transaction().execute(async (tx) => {
        await sql`SET LOCAL statement_timeout = 0`.execute(tx);
        await sql`SELECT analyze_inbox()`.execute(tx);
        await analyzeShadows(tx, this.schemas, this.projection.tables);
      });
    } catch (err) {
      this.options.logger.warn({ event: 'statistics_failed', err }, 'No statistics could be made of what is being replayed');
    }
  }

  /** Handles what was read, and what has come since, until little is left. */
  async replay(): Promise<void> {
    for (let done = FEW; done >= FEW;) {
      done = 0;
      for (const source of this.sources) {
        this.noted.set(source.durable, await this.inPage((tx) => this.followAll(tx, source)));
        for (let after = 0, some = 1; some > 0;) {
          const page = await this.inPage(async (tx) => {
            await lookAtShadows(tx, this.schemas);
            return handlePage(tx, source, after, this.beginning);
          });
          [after, some] = [page.last, page.handled];
          this.count(source, page.handled);
          done += page.handled;
        }
      }
      done += await this.replayOwn();
    }
  }

  /** Compares in one snapshot. Nobody waits for it, and nothing live changes. */
  async compare(): Promise<Differences> {
    // Not for as long as it takes: a person who stops it would wait.
    await this.inPage(async () => undefined);
    return this.settled('compare', async (tx) => (await this.compared(tx)).differences);
  }

  /**
   * Stops those who write to the live tables for a moment, readers go on, and replaces what differs. A whole replay becomes the live generation. `along` runs
   * in the same transaction.
   */
  async swap(along: (tx: Tx, differences: Differences) => Promise<void> = async () => undefined): Promise<Differences> {
    return this.settled('swap', async (tx) => {
      const { differences, again } = await this.compared(tx);
      if (Object.values(differences.counts).some((count) => count > 0))
        await replaceDifferences(tx, this.schemas, this.projection, this.extent);
      if (this.extent === 'everything')
        for (const source of this.sources)
          await promoteGeneration(tx, source, source === this.sources[0] ? again.map((one) => one.messageId) : []);
      await along(tx, differences);
      return differences;
    });
  }

  /** What each source's generation has stored and handled, and how many of these messages the stream still had. */
  async sourcesDone(): Promise<{ durable: string; generation: number; position: number; fromStream: number; handled: number }[]> {
    return Promise.all(
      this.sources.map(async ({ durable, beside }) => {
        const { position } = await readWatermark(this.options.db, beside);
        return {
          durable,
          generation: beside.generation,
          position,
          fromStream: this.fromStream.get(durable) ?? 0,
          handled: this.handled.get(durable) ?? 0,
        };
      }),
    );
  }

  private get extent(): Extent {
    return this.options.from ? 'touched' : 'everything';
  }

  private get beginning(): Beginning | null {
    const { from } = this.options;
    return from ? { from, touched: touchedTable(this.schemas, this.projection.tables) } : null;
  }

  private async inPage<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return inTransaction(this.options, `${this.options.service}.event_replay.page`, async (tx) => {
      await this.options.hold?.(tx, this.progress);
      return work(tx);
    });
  }

  /** Answers how far it is then. */
  private async follow(tx: Tx, source: Replayed): Promise<number> {
    await followLive(tx, source);
    if (this.beginning) await noteTouched(tx, source, this.beginning, this.noted.get(source.durable) ?? 0);
    return (await readWatermark(tx, source.beside)).position;
  }

  /** Also of millions of messages. */
  private async followAll(tx: Tx, source: Replayed): Promise<number> {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    return this.follow(tx, source);
  }

  private async replayOwn(): Promise<number> {
    const { own } = this.projection;
    if (!own) return 0;
    let done = 0;
    for (;;) {
      const page = await this.inPage((tx) => this.ownPage(tx, this.cursor));
      this.cursor = page.cursor;
      done += page.read;
      if (page.read === 0) return done;
    }
  }

  private async ownPage(tx: Tx, cursor: EventCursor): Promise<{ cursor: EventCursor; read: number }> {
    await lookAtShadows(tx, this.schemas);
    return this.projection.own!.page(tx, cursor, this.beginning ? sql`(SELECT aggregate FROM ${this.beginning.touched})` : null);
  }

  private async settled<T>(step: 'compare' | 'swap', work: (tx: Tx) => Promise<T>): Promise<T> {
    const { db, failpoints, service } = this.options;
    const place = `${service}.event_replay.swap`;
    for (let left = ATTEMPTS - 1; ; left--) {
      try {
        const [result, caughtUp] = await db
          .transaction()
          .setIsolationLevel('repeatable read')
          .execute(async (tx) => {
            await sql`SET LOCAL statement_timeout = 0`.execute(tx);
            await sql`SET LOCAL lock_timeout = ${sql.lit(LOCK_WAIT)}`.execute(tx);
            // No query before it: the snapshot must see what the last writer did.
            if (step === 'swap') {
              await stopWriters(tx, this.schemas, this.projection.tables);
              await this.options.hold?.(tx, this.progress);
            }
            const now = await this.catchUp(tx);
            const done = await work(tx);
            if (step === 'swap') await failpoints.hit(`${place}.before_commit`);
            return [done, now] as const;
          });
        if (step === 'swap') await failpoints.hit(`${place}.after_commit`);
        this.cursor = caughtUp.cursor;
        for (const [source, handled] of caughtUp.handled) this.count(source, handled);
        return result;
      } catch (error) {
        if (left === 0 || !AGAIN.includes((error as { code?: string }).code ?? '')) throw error;
      }
    }
  }

  /** In a transaction that may be rolled back, so nothing of it is remembered here. */
  private async catchUp(tx: Tx): Promise<{ cursor: EventCursor; handled: Map<Replayed, number> }> {
    const handled = new Map<Replayed, number>();
    for (const source of this.sources) {
      await this.follow(tx, source);
      await lookAtShadows(tx, this.schemas);
      for (let page = { last: 0, handled: 1 }; page.handled > 0;) {
        page = await handlePage(tx, source, page.last, this.beginning);
        handled.set(source, (handled.get(source) ?? 0) + page.handled);
      }
    }
    let own = { cursor: this.cursor, read: this.projection.own ? 1 : 0 };
    while (own.read > 0) own = await this.ownPage(tx, own.cursor);
    await lookAtLive(tx, this.schemas);
    return { cursor: own.cursor, handled };
  }

  private count({ durable }: Replayed, handled: number): void {
    this.handled.set(durable, (this.handled.get(durable) ?? 0) + handled);
    this.progress.handled += handled;
  }

  private async compared(tx: Tx): Promise<{ differences: Differences; again: Unaccounted[] }> {
    const { counts, rows } = await differencesOf(tx, this.schemas, this.projection, this.extent);
    const again = this.extent === 'everything' ? ((await this.projection.unaccounted?.(tx, this.sources[0]!.beside)) ?? []) : [];
    const lacking = again.map(({ table, key }) => ({ table, key, kind: 'missing' as const, live: null, replayed: null }));
    return {
      differences: { counts: { ...counts, missing: counts.missing + again.length }, rows: [...rows, ...lacking].slice(0, MOST_ROWS) },
      again,
    };
  }
}

/** Removes the tables and the generations of a replay, whichever are not live. Of another attempt, too: the transaction must hold the replay. */
export async function dropBeside(tx: Tx, projection: Projection): Promise<void> {
  await dropShadows(tx, await schemasOfConnection(tx), projection.tables);
  for (const { durable, stream } of projection.sources)
    await forgetOtherGenerations(tx, { consumer: durable, generation: await liveGeneration(tx, durable, stream) });
}
