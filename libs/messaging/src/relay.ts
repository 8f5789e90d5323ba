import { setTimeout as delay } from 'node:timers/promises';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Owner } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { atCall, type Failpoints } from '@tidegate/database/failpoints';
import { type Lease } from '@tidegate/database/lease';
import { untilNextLook } from '@tidegate/database/next-look';
import { eachRenewal } from '@tidegate/database/lease-renewals';
import { inTransaction } from '@tidegate/database/transaction';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Broker } from './broker.js';
import { ensureStream } from './ensure-topology.js';
import { registerOutboxMetrics } from './messaging-metrics.js';
import {
  checkpointPublished,
  hasUnstamped,
  HistoryChanged,
  LeadershipLost,
  type OutboxHead,
  type OutboxRow,
  readOutboxState,
  readStamped,
  stampVisible,
  startNewEpoch,
  wentBack,
} from './outbox-rows.js';
import { publishRows } from './relay.publisher.js';
import { lastPlaceInStream } from './stream-tail.js';
import { streamOf, type StreamSpec } from './topology.js';
import { WakeUp } from './wake-up.js';

export interface RelayOptions {
  db: Db;
  broker: Broker;
  owner: Owner;
  failpoints: Failpoints;
  logger: Logger;
  metrics?: Metrics;
  /** `new Lease(db, 'relay', <unique per process>)` */
  lease: Lease;
  /** Longest pause before unstamped rows are looked for; 1 s by default. */
  pollMs?: number;
}

/** How far publishing is: what the broker has confirmed, and how much of that stands in the table since when. */
interface Standing {
  confirmed: number;
  saved: number;
  savedAt: number;
}

const BATCH = 500;
const POLL_MS = 1_000;
const FOLLOW_MS = 1_000;
/** Longest pause between two looks for stamped rows: the leader itself stamps them, and says so. */
const LOOK_AGAIN_MS = 10_000;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2_000;
/** Signals within this time share one look at the table; while they come without a pause, a longer one, because a stamping costs the same for one and for many. */
const DEBOUNCE_MS = 2;
const PACE_MS = 20;
/** Longest time between a confirmation and its checkpoint. What a crash leaves out is published again and known by its message id. */
const SAVE_MS = 100;

/**
 * Stamps committed outbox rows with dense positions and publishes them, in one leading process of the fleet. Stamping goes on while the broker does not
 * take messages, because consumers then read from the outbox. What the broker confirmed is checkpointed; after a restart or a failure publishing
 * goes on from there. A broker that lost its store is not refilled: consumers fill from the outbox what the stream no longer has.
 */
export class OutboxRelay {
  readonly name: string;
  private readonly stream: StreamSpec;
  private readonly committed = new WakeUp();
  private readonly stamped = new WakeUp();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  /** The outbox as this process knows it, over all of its terms. */
  private known: OutboxHead = { epoch: 1, head: 0 };
  /** Rows just stamped, so that publishing need not read them again; only ever used when they continue where publishing stands. */
  private fresh: OutboxRow[] = [];

  constructor(private readonly options: RelayOptions) {
    this.name = `${options.owner}.relay`;
    const stream = streamOf(options.owner);
    if (!stream) throw new Error(`Bug: ${options.owner} owns no stream`);
    this.stream = stream;
    if (options.metrics) registerOutboxMetrics(options.metrics, options.db);
  }

  /** A transaction that staged messages has committed. */
  signal(): void {
    this.committed.now();
  }

  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  /** Ends after the batch in hand and frees the lease. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.committed.now();
    this.stamped.now();
    await this.running;
  }

  private async untilStopped(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const epoch = await this.options.lease.acquireIfFree().catch(() => null);
      if (epoch === null) await this.pause(untilNextLook(FOLLOW_MS));
      else await this.lead(epoch);
    }
    await this.options.lease.release().catch(() => undefined);
  }

  /** Stamps and publishes until the lease is lost or the relay is stopped. */
  private async lead(leaseEpoch: number): Promise<void> {
    const over = new AbortController();
    const end = () => {
      over.abort();
      this.committed.now();
      this.stamped.now();
    };
    this.stopping.signal.addEventListener('abort', end, { once: true });
    if (this.stopping.signal.aborted) end();
    const stopRenewing = eachRenewal(() => {
      this.options.lease.renew().then(
        (held) => held || end(),
        () => undefined,
      );
    });
    const reconnected = this.options.broker.onConnected(() => this.stamped.now());
    this.options.logger.info({ event: 'relay_leads', lease_epoch: leaseEpoch }, 'This process relays the outbox');
    try {
      await this.settleEpoch(over.signal);
      if (!over.signal.aborted)
        await Promise.all([this.stampWhile(over.signal, leaseEpoch, end), this.publishWhile(over.signal, leaseEpoch)]);
    } finally {
      stopRenewing();
      reconnected();
      this.stopping.signal.removeEventListener('abort', end);
    }
  }

  /**
   * Asks the broker until it has said what the stream holds, or leadership is over. Nothing is stamped before: a restored database must begin its
   * epoch at the first position that it gives out anew. A stream that is not there, or cannot be made, holds nothing.
   */
  private async settleEpoch(over: AbortSignal): Promise<void> {
    for (let failures = 1; !over.aborted; failures += 1) {
      try {
        return await this.beginEpochIfRestored(await this.connected());
      } catch (error) {
        await this.afterFailure(failures, error);
      }
    }
  }

  private async stampWhile(over: AbortSignal, leaseEpoch: number, end: () => void): Promise<void> {
    let failures = 0;
    let told = false;
    while (!over.aborted) {
      try {
        const stamped = told || (await hasUnstamped(this.options.db)) ? await this.stamp(leaseEpoch) : [];
        const stampedAt = performance.now();
        failures = 0;
        if (stamped.length > 0) this.offer(stamped);
        if (stamped.length === BATCH) continue;
        told = await this.committed.within(this.options.pollMs ?? POLL_MS);
        await delay(Math.max(DEBOUNCE_MS, stampedAt + PACE_MS - performance.now()));
      } catch (error) {
        if (error instanceof LeadershipLost || error instanceof HistoryChanged) return end();
        failures += 1;
        this.options.logger.warn({ event: 'relay_stamp_failed', failures, err: error }, 'Stamping the outbox failed; trying again');
        await this.pause(backOff(failures));
      }
    }
  }

  private async stamp(leaseEpoch: number): Promise<OutboxRow[]> {
    const { lease, owner } = this.options;
    const { known } = this;
    const stamped = await inTransaction(this.options, `${owner}.relay.stamp`, (tx) =>
      stampVisible(tx, { name: lease.name, holder: lease.holder, epoch: leaseEpoch }, BATCH, known),
    );
    const head = stamped.at(-1)?.position;
    if (head !== undefined && this.known.epoch === known.epoch) this.known = { ...known, head };
    return stamped;
  }

  private offer(rows: OutboxRow[]): void {
    const last = this.fresh.at(-1);
    // Without a hole: what publishing takes from here counts as all that there is up to its last position.
    if (!last || (this.fresh.length < 4 * BATCH && last.position + 1 === rows[0]?.position)) this.fresh.push(...rows);
    this.stamped.now();
  }

  private async publishWhile(over: AbortSignal, leaseEpoch: number): Promise<void> {
    let at: Standing | null = null;
    let failures = 0;
    while (!over.aborted) {
      try {
        at ??= await this.takeUp();
        const rows = await this.nextRows(at.confirmed);
        if (rows.length > 0) await this.publish(rows, at);
        else await this.stamped.within(at.confirmed > at.saved ? SAVE_MS : LOOK_AGAIN_MS);
        if (performance.now() >= at.savedAt + SAVE_MS) await this.save(at, leaseEpoch);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (at) await this.save(at, leaseEpoch).catch(() => undefined);
        // The checkpoint in the table is the truth after any failure.
        at = null;
        await this.afterFailure(failures, error);
      }
    }
    if (at) await this.save(at, leaseEpoch).catch(() => undefined);
  }

  private async save(at: Standing, leaseEpoch: number): Promise<void> {
    if (at.confirmed > at.saved) await checkpointPublished(this.options.db, at.confirmed, leaseEpoch);
    at.saved = at.confirmed;
    at.savedAt = performance.now();
  }

  private async afterFailure(failures: number, err: unknown): Promise<void> {
    if (failures === 1 || failures % 20 === 0)
      this.options.logger.warn({ event: 'relay_publish_failed', failures, err }, 'Publishing failed; trying again');
    await this.ensureStreamAgain();
    await this.stamped.within(this.options.broker.connected ? backOff(failures) : LONGEST_RETRY_MS);
  }

  /** Where publishing stands, in a stream that is there. */
  private async takeUp(): Promise<Standing> {
    const { db, broker } = this.options;
    // What was stamped before the failure may be of a history that a restore has ended.
    this.fresh = [];
    const nc = await this.connected();
    await ensureStream(nc, this.stream, broker.topology);
    await this.beginEpochIfRestored(nc);
    const { published } = await readOutboxState(db);
    return { confirmed: published, saved: published, savedAt: performance.now() };
  }

  /**
   * A stream whose last message is above our head says that this database was restored from a backup, or that a standby which lagged behind became the
   * primary; so does a head below the one that this process knows.
   */
  private async beginEpochIfRestored(nc: NatsConnection): Promise<void> {
    const { db, logger } = this.options;
    const last = await lastPlaceInStream(nc, this.stream.stream);
    // What is stamped while the state is read counts for nothing.
    const { known } = this;
    const state = await readOutboxState(db);
    const isBehindStream = last && (last.epoch > state.epoch || (last.epoch === state.epoch && last.position > state.head));
    if (!isBehindStream && !wentBack(state, known)) {
      if (!wentBack(state, this.known)) this.known = state;
      return;
    }
    const epoch = await startNewEpoch(db, state, Math.max(known.epoch, last?.epoch ?? 0));
    if (epoch === null) return this.beginEpochIfRestored(nc);
    this.known = { epoch, head: state.head };
    logger.error(
      { event: 'outbox_epoch_started', ...this.known, in_stream: last?.position, known: known.head },
      'The outbox lost positions that were given out: the database was restored; a new epoch begins',
    );
  }

  private async nextRows(after: number): Promise<OutboxRow[]> {
    while (this.fresh[0] && this.fresh[0].position <= after) this.fresh.shift();
    if (this.fresh[0]?.position === after + 1) return this.fresh.splice(0, BATCH);
    this.fresh = [];
    return readStamped(this.options.db, after, BATCH);
  }

  private async publish(rows: OutboxRow[], at: Standing): Promise<void> {
    const { failpoints, owner } = this.options;
    const nc = await this.connected();
    const { upTo, failure } = await atCall(failpoints, `${owner}.relay.publish`, () => publishRows(nc, this.known.epoch, rows));
    if (upTo !== null) at.confirmed = upTo;
    if (failure !== null) throw failure;
  }

  private async connected() {
    if (!this.options.broker.connected) throw new Error('The broker is away');
    return this.options.broker.connection();
  }

  private async ensureStreamAgain(): Promise<void> {
    if (!this.options.broker.connected) return;
    await this.connected()
      .then((nc) => ensureStream(nc, this.stream, this.options.broker.topology))
      .catch(() => undefined);
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

const backOff = (failures: number): number => Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (failures - 1));
