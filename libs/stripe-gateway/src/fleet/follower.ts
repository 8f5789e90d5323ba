import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from '@tidegate/telemetry/logger';
import { type BreakerName } from '../breaker-names.js';
import { type Operation } from '../port.js';
import { type Author, type BreakerRow, type BreakerStateName, type BreakerStore } from './breaker.store.js';
import { type Door, FleetCopy } from './fleet-copy.js';
import { logTransition } from './transition-log.js';

/** A breaker is another than before, whoever changed it; `version` counts its changes and is the same in every process. */
export interface FleetChange {
  breaker: BreakerName;
  version: number;
  from: BreakerStateName;
  to: BreakerStateName;
}

export interface FollowerOptions {
  breakers: BreakerStore;
  service: string;
  logger: Logger;
  /** Of the key that a call made now would use. */
  keyFingerprint(): string;
  author(): Author;
  /** Writes what was counted; with every poll. */
  flush(): Promise<unknown>;
  /** This process has learnt of a change; of several within one poll, it hears the last. When it starts, what changed since the first day is one. */
  onChange?(change: FleetChange): void;
  /** After so long without a question the breakers, all closed, are read each second only; 5 s by default. */
  quietAfterMs?: number;
  /** A probe may be sent, and nobody has yet: said at once and again after 1, 2, 4 … 60 s while that is so. */
  onProbeDue?(breaker: BreakerName): void;
}

/** What a process that has just started knows of a breaker. */
const FIRST_DAY = { version: 0, state: 'closed' } as const;
const POLL_MS = 250;
/** While all breakers are closed and nobody wants to call, this is soon enough: who then wants to call reads first. */
const QUIET_POLL_MS = 1_000;
/** Nobody has asked for a breaker for this long, unless told otherwise. */
const QUIET_AFTER_MS = 5_000;
const POLL_GIVES_UP_MS = 2_000;
/**
 * Who wants to call waits so long for what the process does not know: one that has just started, and opens its first connection on a busy machine, would else turn
 * requests away as if Stripe were.
 */
const PATIENCE_MS = 4_000;
/** Who asks again for what cannot be told now may do so after this; and a probe that is due is told of again. */
export const ASK_AGAIN_MS = 1_000;
const LONGEST_SILENCE_MS = 60_000;
const FORGET_EVERY_MS = 60_000;

class NoAnswerYet extends Error {}

/**
 * What this process knows of the fleet's breakers: reads them each 250 ms, and each second while there is nothing to decide; tells of changes, and knows nothing
 * when its copy is too old.
 */
export class Follower {
  private copy: FleetCopy | null = null;
  private polling: Promise<void> | null = null;
  private running: Promise<void> | null = null;
  private readonly stopping = new AbortController();
  private readonly said = new Map<BreakerName, { version: number; pauseMs: number; againAt: number }>();
  private forgotAt = performance.now();
  private isAway = false;
  private wantedAt = -Infinity;
  private readAt = -Infinity;

  constructor(private readonly options: FollowerOptions) {}

  start(): void {
    this.running ??= this.follow();
  }

  /** The same, and resolves when this process knows the breakers; throws when they cannot be read now. */
  async started(): Promise<void> {
    this.start();
    await this.poll();
  }

  /** From the first moment on nothing is known any more. Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.polling?.catch(() => undefined);
  }

  /** The breaker as it was last read, however long ago; null before the first time. */
  lastRead(breaker: BreakerName): BreakerRow | null {
    return this.copy?.breaker(breaker) ?? null;
  }

  /** Reads the breakers now. */
  async refresh(): Promise<void> {
    await this.polling?.catch(() => undefined);
    await this.poll().catch(() => undefined);
  }

  /** What the newest copy says; waits for one when there is none that counts. */
  async look(breaker: BreakerName, operation?: Operation): Promise<Door> {
    this.wantedAt = performance.now();
    this.start();
    const until = performance.now() + PATIENCE_MS;
    for (let asked = true; ; asked = await this.pollWithin(until - performance.now())) {
      const door = this.now(breaker, operation);
      if (door) return door;
      if (!asked || performance.now() >= until || this.stopping.signal.aborted)
        return { open: false, probeDue: false, retryAfterMs: ASK_AGAIN_MS, unread: true };
    }
  }

  /** Null when what this process knows is too old. */
  now(breaker: BreakerName, operation?: Operation): Door | null {
    const at = performance.now();
    if (!this.copy?.isFresh(at) || this.stopping.signal.aborted) return null;
    return this.copy.door(breaker, this.options.keyFingerprint(), at, operation);
  }

  private async follow(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const startedAt = performance.now();
      if (this.isTimeToRead(startedAt)) await this.tick();
      const restMs = Math.max(10, POLL_MS - (performance.now() - startedAt));
      await delay(restMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private isTimeToRead(now: number): boolean {
    const quietAfterMs = this.options.quietAfterMs ?? QUIET_AFTER_MS;
    const quiet = now - this.wantedAt > quietAfterMs && this.copy?.breakers.every(({ state }) => state === 'closed') === true;
    return !quiet || now - this.readAt >= QUIET_POLL_MS - POLL_MS / 2;
  }

  private async tick(): Promise<void> {
    const { logger, breakers } = this.options;
    try {
      await this.poll();
      await this.options.flush();
      if (performance.now() - this.forgotAt > FORGET_EVERY_MS) {
        this.forgotAt = performance.now();
        await breakers.forgetOld();
      }
      if (this.isAway) logger.info({ event: 'stripe_gateway_back' }, 'The breakers can be read again');
      this.isAway = false;
    } catch (err) {
      if (!this.isAway && !this.stopping.signal.aborted)
        logger.warn({ event: 'stripe_gateway_away', err }, 'The breakers cannot be read; no call to Stripe starts meanwhile');
      this.isAway = true;
    }
  }

  /** False when they cannot be read. An answer that only takes too long may come to who asks again, on another connection. */
  private async pollWithin(ms: number): Promise<boolean> {
    const enough = new AbortController();
    const poll = this.poll().then(
      () => true,
      (error: unknown) => error instanceof NoAnswerYet,
    );
    return Promise.race([poll, delay(ms, true, { signal: enough.signal, ref: false })]).finally(() => enough.abort());
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
    this.readAt = askedAt;
    const tooLong = new AbortController();
    const rows = await Promise.race([
      this.options.breakers.read(),
      delay(POLL_GIVES_UP_MS, undefined, { signal: tooLong.signal, ref: false }).then(() => {
        throw new NoAnswerYet(`no answer within ${POLL_GIVES_UP_MS} ms`);
      }),
    ]).finally(() => tooLong.abort());
    const before = this.copy;
    this.copy = new FleetCopy(rows, askedAt);
    this.announce(before);
    await this.followKey();
  }

  /** Our key was refused, and we have another one by now. */
  private async followKey(): Promise<void> {
    const { breakers, service, logger, author } = this.options;
    const key = this.options.keyFingerprint();
    const latched = this.copy?.breakers.some((row) => row.latched_by === service && !row.refused_keys.includes(key));
    if (!latched) return;
    for (const transition of await breakers.acceptKey(key, author())) logTransition(logger, transition);
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
    const pauseMs = said?.version === version ? Math.min(2 * said.pauseMs, LONGEST_SILENCE_MS) : ASK_AGAIN_MS;
    this.said.set(name, { version, pauseMs, againAt: now + pauseMs });
    return true;
  }
}
