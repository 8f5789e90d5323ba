import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Db } from '@tidegate/database/database';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import { type BreakerName, breakerOf } from '../breaker-names.js';
import { lastWord } from '../last-word.js';
import { type StripeOutcome } from '../outcome.js';
import { type Operation } from '../port.js';
import { OWN_LIMIT, verdictOf } from '../verdict.js';
import { type Author, type BreakerStateName, BreakerStore } from './breaker.store.js';
import { COPY_LASTS_MS } from './fleet-copy.js';
import { ASK_AGAIN_MS, Follower, type FollowerOptions } from './follower.js';
import { LimiterStore } from './limiter.store.js';
import { type Admitted, Reporter } from './reporter.js';
import { logTransition } from './transition-log.js';
import { type Turn, WaitingLine } from './waiting-line.js';

/** Why a request that leads to a call is not accepted, as the client is told, and after how long it may ask again. */
export interface Refusal {
  why: 'The circuit breaker is open' | 'The circuit breaker cannot be read in time';
  retryAfterMs: number;
}

export interface FleetOptions extends Omit<FollowerOptions, 'breakers' | 'author' | 'flush'> {
  /** With connections of its own, so that nothing here waits behind a payment's transaction. */
  db: Db;
  /** Unique per process. */
  instance: string;
  /** A call that took longer counts as failed, whatever its answer. */
  slowMs: number;
  /** Most calls of this process that are under way at once. */
  maxInFlight: number;
  /** Longest wait of a call for its turn; 2 s when absent. */
  waitMs?: number;
  /** Most that may pass, by the wall clock, until a call is sent; a minute when absent. */
  staleMs?: number;
}

/** That a call may start, and whether it may still be sent once its connection stands. */
interface Permit {
  admitted: Admitted;
  mayBeSent(): Promise<boolean>;
}

const WAIT_MS = 2_000;
/**
 * Longer than a call waits for anything. Whoever comes later stood still: others have gone on with what he was about to do, and where it took a day Stripe has forgotten
 * the key that made it one and the same.
 */
const STALE_MS = 60_000;
const OPEN = 'The circuit breaker is open';
/** A caller waits no longer than this for its report to be written; it is written all the same. */
const REPORT_MS = 1_000;

/**
 * This process's part of the fleet's breakers and limiter. Whether a call may start is decided from what the process knows of the breakers, and what is too old
 * admits nothing, so that no call starts later than a second after a breaker opened, however long a process was stopped or cut off from the database.
 */
export class Fleet {
  readonly breakers: BreakerStore;
  readonly limiter: LimiterStore;
  private readonly follower: Follower;
  private readonly line: WaitingLine;
  private readonly reporter: Reporter;
  private readonly letIn = new Map<BreakerName, number>();

  constructor(private readonly options: FleetOptions) {
    const author = () => this.author();
    this.breakers = new BreakerStore(options.db);
    this.limiter = new LimiterStore(options.db);
    this.line = new WaitingLine({
      lease: (kind, want, ahead) => this.limiter.lease(kind, want, ahead),
      maxInFlight: options.maxInFlight,
      waitMs: options.waitMs ?? WAIT_MS,
      onError: () => undefined,
    });
    const { breakers, limiter, line } = this;
    this.reporter = new Reporter({ breakers, limiter, line, logger: options.logger, author });
    this.follower = new Follower({ ...options, breakers, author, flush: () => this.reporter.flush() });
  }

  /** Begins to follow the breakers; the first call would, too. Resolves when they were read; throws when they cannot be, and goes on trying. */
  start(): Promise<void> {
    return this.follower.started();
  }

  /** Writes what was counted; nothing is admitted any more. Before the database closes. */
  async stop(): Promise<void> {
    const stopped = this.follower.stop();
    this.line.stop();
    await stopped;
    await this.reporter.flush().catch(() => undefined);
  }

  /**
   * Whether a request may be accepted that leads to a call: null, or why not and how long to wait. While a probe is due one request a second gets in, so that there is somebody
   * to make it.
   */
  async door(breaker: BreakerName): Promise<Refusal | null> {
    const door = await this.follower.look(breaker);
    if (door.open) return null;
    if (!door.probeDue) return { retryAfterMs: door.retryAfterMs, why: door.unread ? 'The circuit breaker cannot be read in time' : OPEN };
    const now = performance.now();
    if (now - (this.letIn.get(breaker) ?? -Infinity) < ASK_AGAIN_MS) return { retryAfterMs: ASK_AGAIN_MS, why: OPEN };
    this.letIn.set(breaker, now);
    return null;
  }

  /** The breaker as this process last read it; null before the first time. */
  state(breaker: BreakerName): BreakerStateName | null {
    return this.follower.lastRead(breaker)?.state ?? null;
  }

  /** How often the breaker has changed, as this process last read it; 0 before the first time. */
  version(breaker: BreakerName): number {
    return this.follower.lastRead(breaker)?.version ?? 0;
  }

  /** Stripe refused the key that this process has: it makes no call of that breaker, even when others go on with another key. */
  isKeyRefused(breaker: BreakerName): boolean {
    return this.follower.lastRead(breaker)?.refused_keys.includes(this.options.keyFingerprint()) ?? false;
  }

  waitingAndInFlight(): ReturnType<WaitingLine['counts']> {
    return this.line.counts();
  }

  /** Reads the breakers now. */
  refresh(): Promise<void> {
    return this.follower.refresh();
  }

  /**
   * Makes a call if the fleet may: `refused` by a breaker, `limited` when its turn did not come in time. The turn and the connection may take a while; the breaker has
   * the last word before anything is sent, after the caller if that one wants a word, too. Nothing is sent by a process that stood still for a minute meanwhile.
   */
  async run<T>(operation: Operation, call: () => Promise<StripeOutcome<T>>): Promise<StripeOutcome<T>> {
    const breaker = breakerOf(operation);
    const begunAt = Date.now();
    const before = await this.follower.look(breaker, operation);
    if (!before.open && !before.probeDue) return { kind: 'refused', retryAfterMs: before.retryAfterMs };
    const turn = await this.turn(breaker);
    if (!turn.granted)
      return { kind: 'limited', reason: OWN_LIMIT, retryAfterMs: WAIT_MS, message: 'Our own limit of calls to Stripe is reached' };
    try {
      const permit = await this.permit(operation, breaker);
      return permit ? await this.call(operation, breaker, { ...permit, begunAt }, call) : this.refused(operation, breaker);
    } finally {
      turn.done();
    }
  }

  private async permit(operation: Operation, breaker: BreakerName): Promise<Permit | null> {
    const doorNow = async () => this.follower.now(breaker, operation) ?? (await this.follower.look(breaker, operation));
    const door = await doorNow();
    if (door.open) return { admitted: { version: door.version }, mayBeSent: async () => (await doorNow()).open };
    return door.probeDue ? this.leaseProbe(breaker) : null;
  }

  /** Reports of usage keep to their own share before they stand in line. */
  private async turn(breaker: BreakerName): Promise<Turn> {
    if (breaker === 'stripe_usage' && !(await this.usageShare())) return { granted: false };
    return this.line.turn(breaker === 'stripe' ? 'write' : 'read');
  }

  private async usageShare(): Promise<boolean> {
    const until = performance.now() + (this.options.waitMs ?? WAIT_MS);
    try {
      for (;;) {
        const waitMs = await this.limiter.leaseUsage();
        if (waitMs === 0) return true;
        if (performance.now() + waitMs > until) return false;
        await delay(waitMs);
      }
    } catch {
      // Without the database there is no call.
      return false;
    }
  }

  /** The lease of the one probe, unless it is another's, or came so late that it may be over. */
  private async leaseProbe(breaker: BreakerName): Promise<Permit | null> {
    const probe = randomUUID();
    const askedAt = performance.now();
    try {
      const transition = await this.breakers.leaseProbe(breaker, probe, this.author());
      if (!transition) {
        await this.refresh();
        return null;
      }
      logTransition(this.options.logger, transition);
      const recoveryMs = this.follower.lastRead(breaker)?.recovery_ms ?? 0;
      const isLate = performance.now() - askedAt >= Math.min(COPY_LASTS_MS, recoveryMs);
      void this.refresh();
      if (isLate) return null;
      return { admitted: { probe }, mayBeSent: () => Promise.resolve(performance.now() - askedAt < recoveryMs) };
    } catch {
      return null;
    }
  }

  private async call<T>(
    operation: Operation,
    breaker: BreakerName,
    { admitted, mayBeSent, begunAt }: Permit & { begunAt: number },
    call: () => Promise<StripeOutcome<T>>,
  ): Promise<StripeOutcome<T>> {
    const key = this.options.keyFingerprint();
    const startedAt = performance.now();
    const mayCaller = lastWord.getStore() ?? (() => Promise.resolve(true));
    let sending: 'kept back' | 'sent' | undefined;
    const outcome = await lastWord.run(async () => {
      const may = (await mayCaller()) && (await mayBeSent()) && Date.now() - begunAt < (this.options.staleMs ?? STALE_MS);
      sending ??= may ? 'sent' : 'kept back';
      return may;
    }, call);
    if (sending === 'kept back') return this.refused(operation, breaker);
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

  private refused(operation: Operation, breaker: BreakerName): { kind: 'refused'; retryAfterMs: number } {
    const door = this.follower.now(breaker, operation);
    return { kind: 'refused', retryAfterMs: door && !door.open && !door.probeDue ? door.retryAfterMs : ASK_AGAIN_MS };
  }

  private author(): Author {
    const { service, instance } = this.options;
    return { service, process: instance, correlationId: currentCorrelationId() };
  }
}
