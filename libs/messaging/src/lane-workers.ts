import { setTimeout as delay } from 'node:timers/promises';
import { untilNextLook } from '@tidegate/database/next-look';
import { BATCH_LANES, BatchRunner, SOME_LANES } from './batch-runner.js';
import { Gate } from './gate.js';
import { type Claim, claimLanes, hasSuspects, type LaneRow, lookForLanes, renewLanes, returnLanes } from './inbox-lanes.js';
import { type InboxKey } from './inbox-key.js';
import { LaneRunner, type RunnerOptions } from './lane-runner.js';
import { WakeUp } from './wake-up.js';

export interface WorkersOptions extends RunnerOptions {
  concurrency: number;
  pollMs: number;
  suspectPauseMs: number;
}

const FAILURE_PAUSE_MS = 250;
const GIVE_BACK_ATTEMPTS = 20;

/**
 * A row that was running when a process ended runs alone in its process from then on, so that only the guilty one is counted again. While it waits and
 * runs, nothing else is claimed.
 */
export const processGate = new Gate();

/** Leases due lanes and runs them, several at once; replicas share the lanes of a consumer through the lease rows. */
export class LaneWorkers {
  private readonly wake = new WakeUp();
  private readonly busy = new Map<string, { row: LaneRow; settled: Promise<void> }>();
  private batching = false;
  private suspectsSought = -Infinity;
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(
    private readonly options: WorkersOptions,
    private readonly key: InboxKey,
  ) {}

  /** Lanes may have become due. */
  signal(): void {
    this.wake.now();
  }

  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  /** Takes no new lanes and waits for the rows in hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.now();
    await this.running;
  }

  private async untilStopped(): Promise<void> {
    const renewal = setInterval(() => void this.renew(), this.options.laneLeaseMs / 5);
    try {
      for (let woken = true; !this.stopping;) {
        const again = await this.step(woken);
        woken = again || (await this.wake.within(untilNextLook(this.options.pollMs)));
      }
      await Promise.all([...this.busy.values()].map(({ settled }) => settled));
    } finally {
      clearInterval(renewal);
    }
  }

  /** One look for lanes; true when it should look again at once. Nearly every look that nobody woke it for finds nothing: that is one statement. */
  private async step(woken: boolean): Promise<boolean> {
    try {
      if (!woken && !(await this.isAnyDue())) return false;
      if (this.suspectsDue()) await this.runSuspects();
      return await this.claimMore();
    } catch (err) {
      this.options.logger.warn({ event: 'inbox_unavailable', consumer: this.key.consumer, err }, 'The inbox cannot be read; trying again');
      await delay(FAILURE_PAUSE_MS);
      return false;
    }
  }

  private async claimMore(): Promise<boolean> {
    const limit = this.free();
    if (limit <= 0) return false;
    await processGate.enter();
    try {
      const rows = await claimLanes(this.options.db, this.key, this.claim(limit));
      if (rows.length === 0) return false;
      if (this.isTogether) this.takeTogether(rows);
      else for (const row of rows) this.occupy([row], new LaneRunner(this.options, this.key).runLane(row, this.goOn));
      return !this.isTogether && rows.length === limit;
    } finally {
      processGate.leave();
    }
  }

  private get isTogether(): boolean {
    const { projector, handleSome } = this.options.handler;
    return projector === true || handleSome !== undefined;
  }

  /** How many lanes may be claimed now. What a batch left out takes a place each, and a projector takes no batch beside it. */
  private free(): number {
    const { handler, concurrency } = this.options;
    if (!this.isTogether) return concurrency - this.busy.size;
    if (this.batching) return 0;
    if (handler.projector === true) return this.busy.size === 0 ? BATCH_LANES : 0;
    return this.busy.size < concurrency ? SOME_LANES : 0;
  }

  private takeTogether(rows: readonly LaneRow[]): void {
    this.batching = true;
    const batch = new BatchRunner(this.options, this.key).run(rows).finally(() => (this.batching = false));
    this.occupy(
      rows,
      batch.then((left) => {
        const alone = new Set(left);
        this.release(rows.filter((row) => !alone.has(row)));
        return this.runEach(left);
      }),
    );
  }

  /**
   * One after the other of a projector, whose rows would lock each other out; else a few at once, beside those that an earlier batch left, and one row of each lane, because what
   * is behind it may go with a batch again. Those that cannot be begun any more are given back.
   */
  private async runEach(left: readonly LaneRow[]): Promise<null> {
    const { handler, concurrency } = this.options;
    const projector = handler.projector === true;
    const places = projector ? 1 : Math.max(1, concurrency - (this.busy.size - left.length));
    const lanes = new LaneRunner(this.options, this.key);
    const waiting = [...left];
    const worker = async (): Promise<void> => {
      for (let row = this.goOn() ? waiting.shift() : undefined; row; row = this.goOn() ? waiting.shift() : undefined) {
        this.wakeAt(await lanes.runLane(row, this.goOn, () => projector && this.goOn()));
        this.release([row]);
      }
    };
    await Promise.all(Array.from({ length: places }, worker));
    await this.giveBack(waiting);
    return null;
  }

  /** While the database is away, for some seconds; what is not given back then comes round as after the end of a process. */
  private async giveBack(rows: readonly LaneRow[]): Promise<void> {
    const { db, holder, logger } = this.options;
    for (let attempt = 1; attempt <= GIVE_BACK_ATTEMPTS; attempt += 1) {
      try {
        return await returnLanes(db, this.key, holder, rows);
      } catch (err) {
        logger.warn({ event: 'lanes_not_returned', consumer: this.key.consumer, lanes: rows.length, err }, 'Lanes could not be given back');
        await delay(FAILURE_PAUSE_MS);
      }
    }
  }

  private async isAnyDue(): Promise<boolean> {
    const { db, clock, suspectPauseMs } = this.options;
    const { due, suspects } = await lookForLanes(db, this.key, { now: clock.now(), suspectPauseMs });
    this.suspectsSought = suspects ? -Infinity : performance.now();
    return due || suspects;
  }

  /** Suspects are rare: they are looked for once per poll. */
  private suspectsDue(): boolean {
    const now = performance.now();
    if (now - this.suspectsSought < this.options.pollMs) return false;
    this.suspectsSought = now;
    return true;
  }

  private async runSuspects(): Promise<void> {
    const { db, clock, suspectPauseMs } = this.options;
    while (!this.stopping && (await hasSuspects(db, this.key, { now: clock.now(), suspectPauseMs }))) {
      const ran = await processGate.exclusive(async () => {
        const rows = await claimLanes(db, this.key, { ...this.claim(1), suspectPauseMs });
        for (const row of rows) {
          this.occupy(
            [row],
            new LaneRunner(this.options, this.key).runLane(row, this.goOn, () => false),
            { alone: true },
          );
          await this.busy.get(row.aggregate)?.settled;
        }
        return rows.length > 0;
      });
      if (!ran) return;
    }
  }

  private claim(limit: number): Claim {
    return { holder: this.options.holder, now: this.options.clock.now(), limit, ttlMs: this.options.laneLeaseMs };
  }

  private readonly goOn = (): boolean => !this.stopping && !processGate.wanted;

  private occupy(rows: readonly LaneRow[], work: Promise<Date | null>, { alone = false } = {}): void {
    if (!alone) processGate.join();
    const settled = work
      .then((dueAt) => this.wakeAt(dueAt))
      .catch((err: unknown) =>
        this.options.logger.error({ event: 'lane_worker_failed', consumer: this.key.consumer, err }, 'Bug: a lane worker failed'),
      )
      .finally(() => {
        this.release(rows);
        if (!alone) processGate.leave();
      });
    for (const row of rows) this.busy.set(row.aggregate, { row, settled });
  }

  /** Of lanes that are claimed again by now, nothing. */
  private release(rows: readonly LaneRow[]): void {
    for (const row of rows) if (this.busy.get(row.aggregate)?.row === row) this.busy.delete(row.aggregate);
    this.wake.now();
  }

  /** Retries that are due before the next poll need not wait for it. */
  private wakeAt(dueAt: Date | null): void {
    if (!dueAt) return;
    const ms = dueAt.getTime() - this.options.clock.now().getTime();
    if (ms < this.options.pollMs) setTimeout(() => this.wake.now(), Math.max(0, ms) + 1).unref();
  }

  private async renew(): Promise<void> {
    if (this.busy.size === 0) return;
    await renewLanes(this.options.db, this.key, this.options.holder, [...this.busy.keys()], this.options.laneLeaseMs).catch(
      () => undefined,
    );
  }
}
