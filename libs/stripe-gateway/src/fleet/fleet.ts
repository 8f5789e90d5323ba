import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Db } from '@tidegate/database/database';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import { type Logger } from '@tidegate/telemetry/logger';
import { type BreakerName, breakerOf } from '../breaker-names.js';
import { type StripeOutcome } from '../outcome.js';
import { type Operation } from '../port.js';
import { OWN_LIMIT, verdictOf } from '../verdict.js';
import { type Author, type BreakerRow, type BreakerStateName, BreakerStore } from './breaker.store.js';
import { COPY_LASTS_MS, type Door, FleetCopy } from './fleet-copy.js';
import { LimiterStore } from './limiter.store.js';
import { type Admitted, Reporter } from './reporter.js';
import { logTransition } from './transition-log.js';
import { WaitingLine } from './waiting-line.js';

/** A breaker is another than before, whoever changed it; `version` counts its changes and is the same in every process. */
export interface FleetChange {
  breaker: BreakerName;
  version: number;
  from: BreakerStateName;
  to: BreakerStateName;
}

export interface FleetOptions {
  /** With connections of its own, so that nothing here waits behind a payment's transaction. */
  db: Db;
  service: string;
  /** Unique per process. */
  instance: string;
  logger: Logger;
  /** Of the key that a call made now would use. */
  keyFingerprint(): string;
  /** A call that took longer counts as failed, whatever its answer. */
  slowMs: number;
  /** Most calls of this process that are under way at once. */
  maxInFlight: number;
  /** Longest wait of a call for its turn; 2 s when absent. */
  waitMs?: number;
  /** This process has learnt of a change; of several within one poll, it hears the last. When it starts, what changed since the first day is one. */
  onChange?(change: FleetChange): void;
  /** A probe may be sent, and nobody has yet: said at once and again after 1, 2, 4 … 60 s while that is so. */
  onProbeDue?(breaker: BreakerName): void;
}

/** What a process that has just started knows of a breaker. */
const FIRST_DAY = { version: 0, state: 'closed' } as const;
const POLL_MS = 250;
const POLL_GIVES_UP_MS = 2_000;
const SAY_AGAIN_MS = 1_000;
const LONGEST_SILENCE_MS = 60_000;
const FORGET_EVERY_MS = 60_000;
const WAIT_MS = 2_000;
/** A caller waits no longer than this for its report to be written; it is written all the same. */
const REPORT_MS = 1_000;

/**
 * This process's part of the fleet's breakers and limiter. It reads the breakers each 250 ms; whether a call may start is then decided from memory, and a copy
 * that is too old admits nothing, so that no call starts later than a second after a breaker opened, however long a process was stopped or cut off from the database.
 */
export class Fleet {
  readonly breakers: BreakerStore;
  readonly limiter: LimiterStore;
  private readonly line: WaitingLine;
  private readonly reporter: Reporter;
  private copy: FleetCopy | null = null;
  private polling: Promise<void> | null = null;
  private running: Promise<void> | null = null;
  private readonly stopping = new AbortController();
  private readonly said = new Map<BreakerName, { version: number; pauseMs: number; againAt: number }>();
  private readonly letIn = new Map<BreakerName, number>();
  private forgotAt = performance.now();
  private isAway = false;

  constructor(private readonly options: FleetOptions) {
    this.breakers = new BreakerStore(options.db);
    this.limiter = new LimiterStore(options.db);
    this.line = new WaitingLine({
      lease: (kind, want, ahead) => this.limiter.lease(kind, want, ahead),
      maxInFlight: options.maxInFlight,
      waitMs: options.waitMs ?? WAIT_MS,
      onError: () => undefined,
    });
    this.reporter = new Reporter({
      breakers: this.breakers,
      limiter: this.limiter,
      line: this.line,
      logger: options.logger,
      author: () => this.author(),
    });
  }

  /** Begins to follow the breakers; the first call would, too. */
  start(): void {
    this.running ??= this.follow();
  }

  /** Writes what was counted; nothing is admitted any more. Before the database closes. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.line.stop();
    await this.running;
    await this.polling?.catch(() => undefined);
    await this.reporter.flush().catch(() => undefined);
  }

  /**
   * Whether a request may be accepted that leads to a call: null, or how long to wait. While a probe is due one request a second gets in, so that there is somebody
   * to make it.
   */
  async door(breaker: BreakerName): Promise<{ retryAfterMs: number } | null> {
    const door = await this.look(breaker);
    if (door.open) return null;
    if (!door.probeDue) return { retryAfterMs: door.retryAfterMs };
    const now = performance.now();
    if (now - (this.letIn.get(breaker) ?? -Infinity) < SAY_AGAIN_MS) return { retryAfterMs: SAY_AGAIN_MS };
    this.letIn.set(breaker, now);
    return null;
  }

  /** The breaker as this process last read it; null before the first time. */
  state(breaker: BreakerName): BreakerStateName | null {
    return this.copy?.breaker(breaker).state ?? null;
  }

  /** How often the breaker has changed, as this process last read it; 0 before the first time. */
  version(breaker: BreakerName): number {
    return this.copy?.breaker(breaker).version ?? FIRST_DAY.version;
  }

  /** Stripe refused the key that this process has: it makes no call of that breaker, even when others go on with another key. */
  isKeyRefused(breaker: BreakerName): boolean {
    return this.copy?.breaker(breaker).refused_keys.includes(this.options.keyFingerprint()) ?? false;
  }

  waitingAndInFlight(): ReturnType<WaitingLine['counts']> {
    return this.line.counts();
  }

  /** Makes a call if the fleet may: `refused` by a breaker, `limited` when its turn did not come in time. The turn may take a while, the breaker has the last word. */
  async run<T>(operation: Operation, call: () => Promise<StripeOutcome<T>>): Promise<StripeOutcome<T>> {
    const breaker = breakerOf(operation);
    const before = await this.look(breaker, operation);
    if (!before.open && !before.probeDue) return { kind: 'refused', retryAfterMs: before.retryAfterMs };
    const turn = await this.line.turn(breaker === 'stripe' ? 'write' : 'read');
    if (!turn.granted)
      return { kind: 'limited', reason: OWN_LIMIT, retryAfterMs: WAIT_MS, message: 'Our own limit of calls to Stripe is reached' };
    try {
      const door = this.now(breaker, operation) ?? (await this.look(breaker, operation));
      if (door.open) return await this.call(operation, breaker, { version: door.version }, call);
      if (!door.probeDue) return { kind: 'refused', retryAfterMs: door.retryAfterMs };
      const probe = await this.leaseProbe(breaker);
      if (!probe) return { kind: 'refused', retryAfterMs: this.retryAfterMs(breaker) };
      return await this.call(operation, breaker, { probe }, call);
    } finally {
      turn.done();
    }
  }

  /** Reads the breakers now. */
  async refresh(): Promise<void> {
    await this.polling?.catch(() => undefined);
    await this.poll().catch(() => undefined);
  }

  /** What the newest copy says; waits for one when there is none that counts. */
  private async look(breaker: BreakerName, operation?: Operation): Promise<Door> {
    this.start();
    const door = this.now(breaker, operation);
    if (door) return door;
    await Promise.race([this.poll().catch(() => undefined), delay(COPY_LASTS_MS, undefined, { ref: false })]);
    return this.now(breaker, operation) ?? { open: false, probeDue: false, retryAfterMs: SAY_AGAIN_MS };
  }

  /** Null when what this process knows is too old. */
  private now(breaker: BreakerName, operation?: Operation): Door | null {
    const at = performance.now();
    if (!this.copy?.isFresh(at) || this.stopping.signal.aborted) return null;
    return this.copy.door(breaker, this.options.keyFingerprint(), at, operation);
  }

  /** The lease of the one probe, unless it is another's, or came so late that it may be over. */
  private async leaseProbe(breaker: BreakerName): Promise<string | null> {
    const probe = randomUUID();
    const askedAt = performance.now();
    try {
      const transition = await this.breakers.leaseProbe(breaker, probe, this.author());
      if (!transition) {
        await this.refresh();
        return null;
      }
      logTransition(this.options.logger, transition);
      const isLate = performance.now() - askedAt >= Math.min(COPY_LASTS_MS, this.copy?.breaker(breaker).recovery_ms ?? 0);
      void this.refresh();
      return isLate ? null : probe;
    } catch {
      return null;
    }
  }

  private async call<T>(
    operation: Operation,
    breaker: BreakerName,
    admitted: Admitted,
    call: () => Promise<StripeOutcome<T>>,
  ): Promise<StripeOutcome<T>> {
    const key = this.options.keyFingerprint();
    const startedAt = performance.now();
    const outcome = await call();
    const verdict = verdictOf(outcome, performance.now() - startedAt, this.options.slowMs);
    if (verdict.counts === 'success' && 'version' in admitted && !verdict.latch && !verdict.pressure) {
      this.reporter.succeeded(breaker, admitted.version);
      return outcome;
    }
    const reason = outcome.kind === 'limited' ? outcome.reason : outcome.kind;
    const report = this.reporter
      .report({ operation, breaker, admitted, key, reason, ...verdict })
      .then((changed) => (changed ? this.refresh() : undefined));
    await Promise.race([report, delay(REPORT_MS, undefined, { ref: false })]);
    return outcome;
  }

  private async follow(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const startedAt = performance.now();
      await this.tick();
      const restMs = Math.max(10, POLL_MS - (performance.now() - startedAt));
      await delay(restMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async tick(): Promise<void> {
    try {
      await this.poll();
      await this.reporter.flush();
      if (performance.now() - this.forgotAt > FORGET_EVERY_MS) {
        this.forgotAt = performance.now();
        await this.breakers.forgetOld();
      }
      if (this.isAway) this.options.logger.info({ event: 'stripe_gateway_back' }, 'The breakers can be read again');
      this.isAway = false;
    } catch (err) {
      if (!this.isAway && !this.stopping.signal.aborted)
        this.options.logger.warn({ event: 'stripe_gateway_away', err }, 'The breakers cannot be read; no call to Stripe starts meanwhile');
      this.isAway = true;
    }
  }

  /** One read at a time; whoever needs one joins the one under way. */
  private poll(): Promise<void> {
    this.polling ??= this.read().finally(() => {
      this.polling = null;
    });
    return this.polling;
  }

  private async read(): Promise<void> {
    const askedAt = performance.now();
    const tooLong = new AbortController();
    const rows = await Promise.race([
      this.breakers.read(),
      delay(POLL_GIVES_UP_MS, undefined, { signal: tooLong.signal, ref: false }).then(() => {
        throw new Error(`no answer within ${POLL_GIVES_UP_MS} ms`);
      }),
    ]).finally(() => tooLong.abort());
    const before = this.copy;
    this.copy = new FleetCopy(rows, askedAt);
    this.announce(before);
    await this.followKey();
  }

  /** Our key was refused, and we have another one by now. */
  private async followKey(): Promise<void> {
    const key = this.options.keyFingerprint();
    const latched = this.copy?.breakers.some((row) => row.latched_by === this.options.service && !row.refused_keys.includes(key));
    if (!latched) return;
    for (const transition of await this.breakers.acceptKey(key, this.author())) logTransition(this.options.logger, transition);
  }

  private announce(before: FleetCopy | null): void {
    const now = performance.now();
    for (const row of this.copy?.breakers ?? []) {
      const old = before?.breaker(row.name) ?? FIRST_DAY;
      if (old.version !== row.version) this.options.onChange?.({ breaker: row.name, version: row.version, from: old.state, to: row.state });
      const door = this.now(row.name);
      const isDue = door !== null && !door.open && door.probeDue;
      if (isDue && this.isTimeToSay(row, now)) this.options.onProbeDue?.(row.name);
    }
  }

  private isTimeToSay({ name, version }: BreakerRow, now: number): boolean {
    const said = this.said.get(name);
    if (said?.version === version && now < said.againAt) return false;
    const pauseMs = said?.version === version ? Math.min(2 * said.pauseMs, LONGEST_SILENCE_MS) : SAY_AGAIN_MS;
    this.said.set(name, { version, pauseMs, againAt: now + pauseMs });
    return true;
  }

  private retryAfterMs(breaker: BreakerName): number {
    const door = this.now(breaker);
    return door && !door.open && !door.probeDue ? door.retryAfterMs : SAY_AGAIN_MS;
  }

  private author(): Author {
    const { service, instance } = this.options;
    return { service, process: instance, correlationId: currentCorrelationId() };
  }
}
