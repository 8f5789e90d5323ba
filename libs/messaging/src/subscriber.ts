import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { type Failpoints } from '@tidegate/database/failpoints';
import { LEASE_TTL_MS } from '@tidegate/database/lease';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Broker } from './broker.js';
import { GapFiller } from './gap-filler.js';
import { type Handler } from './incoming.js';
import { type InboxKey } from './inbox-key.js';
import { type Arrival } from './inbox-store.js';
import { currentGeneration, ensureWatermark, GenerationGone, highestStored, readWatermark, type Watermark } from './inbox-watermark.js';
import { LaneWorkers } from './lane-workers.js';
import { PageRunner } from './page-runner.js';
import { registerInboxMetrics } from './messaging-metrics.js';
import { Puller } from './puller.js';
import { DURABLES, type DurableSpec } from './topology.js';
import { WakeUp } from './wake-up.js';

export { type Handler, type Incoming, PermanentFailure, TransientFailure } from './incoming.js';

/** All in milliseconds. */
export interface SubscriberTiming {
  /** Age at which a gap is filled from the owner's outbox. */
  gapAfterMs: number;
  /** How often the owner's head is asked. */
  headCheckMs: number;
  /** Longest pause between two looks for due lanes. */
  pollMs: number;
  laneLeaseMs: number;
  /** Before a message whose process ended twice while it ran is run again; doubles with each further time. */
  suspectPauseMs: number;
  firstRetryMs: number;
  longestRetryMs: number;
  /** A message that has failed for this long becomes dead. */
  giveUpAfterMs: number;
}

export const DEFAULT_TIMING: SubscriberTiming = {
  gapAfterMs: 1_000,
  headCheckMs: 2_000,
  pollMs: 1_000,
  laneLeaseMs: LEASE_TTL_MS,
  suspectPauseMs: 2_000,
  firstRetryMs: 500,
  longestRetryMs: 15 * 60_000,
  giveUpAfterMs: 24 * 3_600_000,
};

export interface SubscriberOptions {
  db: Db;
  broker: Broker;
  failpoints: Failpoints;
  logger: Logger;
  metrics?: Metrics;
  /** For back-off; leases use the database's clock. */
  clock: { now(): Date };
  service: string;
  /** `<service>-<purpose>`; in the topology, unless the consumer is outside Tidegate. */
  durable: string;
  stream: StreamName;
  handler: Handler;
  /** The live generation by default, whichever that is at the time. */
  generation?: number;
  /** Aggregates worked on at once in this process; 4 by default. */
  concurrency?: number;
  timing?: Partial<SubscriberTiming>;
}

interface Parts {
  key: InboxKey;
  puller: Puller;
  filler: GapFiller;
  workers: LaneWorkers;
}

const CONCURRENCY = 4;
const START_RETRY_MS = 500;
/** Longest pause between two looks for another generation; each head check tells of one, too. */
const RETIRED_CHECK_MS = 10_000;

/**
 * Brings every message of one durable to a handler with exactly-once effect and in order per aggregate: stores first, acknowledges, then runs the lanes
 * up to the contiguous watermark, and fills gaps from the owner's outbox. Any number of processes may run the same durable.
 */
export class Subscriber {
  readonly name: string;
  private readonly spec: DurableSpec;
  private readonly timing: SubscriberTiming;
  private readonly belowFloor: ReturnType<Metrics['counter']> | undefined;
  private readonly stopping = new AbortController();
  /** Another generation may be the live one. */
  private readonly retiring = new WakeUp();
  private running: Promise<void> | undefined;
  private parts: Parts | undefined;

  constructor(private readonly options: SubscriberOptions) {
    this.name = options.durable;
    this.spec = { durable: options.durable, stream: options.stream, service: options.service };
    const known = DURABLES.find((one) => one.durable === options.durable);
    if (known && (known.stream !== options.stream || known.service !== options.service)) {
      throw new Error(`Bug: in the topology ${known.durable} is of ${known.service} on ${known.stream}`);
    }
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    if (options.metrics) registerInboxMetrics(options.metrics, options.db, options.durable);
    this.belowFloor = options.metrics?.counter(
      'inbox_below_floor_total',
      'Head checks that found messages missing that their owner no longer keeps.',
      { consumer: [options.durable] },
    );
  }

  /** Begins; needs neither broker nor database to be there yet. */
  async start(): Promise<void> {
    this.running ??= this.untilStopped();
  }

  /** Stops pulling, then finishes the messages in hand. What is stored and not begun waits in the inbox. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.retiring.now();
    await this.running;
  }

  /** There may be work in the inbox: a dead letter was replayed, for one. */
  signal(): void {
    this.parts?.workers.signal();
  }

  /** How far the stream is stored without a hole. */
  async watermark(): Promise<Watermark> {
    return readWatermark(this.options.db, await this.currentKey());
  }

  private async untilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const key = await this.currentKey();
        await this.runGeneration(key);
      } catch (err) {
        this.options.logger.warn({ event: 'subscriber_waits', consumer: this.name, err }, 'The inbox is not available; trying again');
        await this.pause(START_RETRY_MS);
      }
    }
  }

  private async currentKey(): Promise<InboxKey> {
    const { db, durable, stream, generation } = this.options;
    if (generation === undefined) return { consumer: durable, generation: await currentGeneration(db, durable, stream) };
    await ensureWatermark(db, { consumer: durable, generation }, stream);
    return { consumer: durable, generation };
  }

  private async runGeneration(key: InboxKey): Promise<void> {
    const parts = this.build(key);
    this.parts = parts;
    // A gap may be left from before the restart.
    const [{ position }, highest] = [await readWatermark(this.options.db, key), await highestStored(this.options.db, key)];
    if (highest > position) parts.filler.gapSeen();
    const [pulling, working] = [parts.puller.run(), parts.workers.run()];
    parts.filler.start();
    try {
      await this.untilRetired(key);
    } finally {
      await parts.puller.stop();
      await parts.filler.stop();
      await parts.workers.stop();
      await Promise.all([pulling, working]);
    }
  }

  /** Resolves when another generation went live, or on stop. */
  private async untilRetired(key: InboxKey): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.retiring.within(RETIRED_CHECK_MS);
      if (this.options.generation !== undefined || this.stopping.signal.aborted) continue;
      const now = await this.currentKey().catch(() => key);
      if (now.generation !== key.generation) return;
    }
  }

  private build(key: InboxKey): Parts {
    const { options, spec, timing } = this;
    const running = {
      ...options,
      ...timing,
      holder: `${spec.durable}:${randomUUID()}`,
      live: options.generation === undefined,
      concurrency: options.concurrency ?? CONCURRENCY,
    };
    const workers = new LaneWorkers(running, key);
    const pages = new PageRunner(running, key);
    const filler = new GapFiller(
      {
        ...options,
        ...timing,
        store: (arrivals) => this.store(arrivals, { filler: null, workers, pages }),
        onLive: (live) => {
          if (options.generation === undefined && live !== key.generation) this.retiring.now();
        },
        onBelowFloor: () => this.belowFloor?.inc({ consumer: spec.durable }),
      },
      key,
    );
    const puller = new Puller({ ...options, durable: spec, store: (arrivals) => this.store(arrivals, { filler, workers, pages }) });
    return { key, puller, filler, workers };
  }

  private async store(
    arrivals: Arrival[],
    parts: { filler: GapFiller | null; workers: LaneWorkers; pages: PageRunner },
  ): Promise<ReadonlySet<Arrival>> {
    if (arrivals.length === 0) return new Set();
    const stored = await parts.pages.store(arrivals).catch((error: unknown) => {
      if (error instanceof GenerationGone) this.retiring.now();
      throw error;
    });
    parts.workers.signal();
    if (arrivals.some((one) => one.position > stored.watermark)) parts.filler?.gapSeen();
    if (stored.unknownEpoch.length === 0) return new Set();
    // The check takes over the owner's epoch; what is then still unknown stays with the broker.
    if (!parts.filler || !(await parts.filler.check())) return new Set(stored.unknownEpoch);
    const again = await parts.pages.store(stored.unknownEpoch);
    parts.workers.signal();
    return new Set(again.unknownEpoch);
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
