import { type Logger } from '@tidegate/telemetry/logger';
import { type BreakerName } from '../breaker-names.js';
import { type Operation, operationName } from '../port.js';
import { type Verdict } from '../verdict.js';
import { type Author, type BreakerStore, type Transition } from './breaker.store.js';
import { type LimiterStore } from './limiter.store.js';
import { Tally } from './tally.js';
import { logTransition } from './transition-log.js';
import { type WaitingLine } from './waiting-line.js';

/** How a call was let through: by a breaker that was closed at that version, or as the probe of that lease. */
export type Admitted = { version: number } | { probe: string };

/** One finished call and what it taught. */
export interface Lesson extends Verdict {
  operation: Operation;
  breaker: BreakerName;
  admitted: Admitted;
  /** Fingerprint of the key that it was made with. */
  key: string;
  /** Of a 429: Stripe's own word for it. */
  reason: string;
}

export interface ReporterDeps {
  breakers: BreakerStore;
  limiter: LimiterStore;
  line: WaitingLine;
  logger: Logger;
  author(): Author;
}

const ENDPOINT_PAUSE_MS = 1_000;
const ACCOUNT_PAUSE_MS = 500;
const NARROW_MS = 10_000;

/** Tells the fleet what calls have taught: failures at once, successes together, with the next poll or the next failure. */
export class Reporter {
  private readonly tally = new Tally();
  /** Versions of breakers with counted failures that the database was not asked about yet. */
  private readonly toJudge = new Map<BreakerName, number>();

  constructor(private readonly deps: ReporterDeps) {}

  succeeded(breaker: BreakerName, version: number): void {
    this.tally.add(breaker, version, { calls: 1, failures: 0 });
  }

  /** Writes one lesson; answers whether something changed that decides about other calls. What cannot be written now is written with a later `flush`. Never throws. */
  async report(lesson: Lesson): Promise<boolean> {
    const { breakers, author, logger } = this.deps;
    let changed = lesson.latch !== undefined;
    try {
      if (lesson.latch === 'key') this.note(await breakers.refuseKey(lesson.key, author()));
      if (lesson.latch === 'operation') {
        const hold = { fingerprint: lesson.key, ms: null, reason: 'permission denied by Stripe' };
        await breakers.hold(operationName(lesson.operation), lesson.breaker, hold);
      }
      if (lesson.pressure) await this.relieve(lesson);
      if (await this.count(lesson)) changed = true;
    } catch (err) {
      logger.warn({ event: 'stripe_gateway_report_failed', err }, 'The fleet could not be told how a call ended');
    }
    return changed;
  }

  /** Writes what was counted, and opens what has to open; answers whether anything did. */
  async flush(breaker?: BreakerName): Promise<boolean> {
    const all = this.tally.take(breaker);
    try {
      for (; all[0]; all.shift()) {
        const { breaker: name, version, ...added } = all[0];
        await this.deps.breakers.count(name, version, added);
        if (added.failures > 0) this.toJudge.set(name, version);
      }
    } finally {
      for (const one of all) this.tally.add(one.breaker, one.version, one);
    }
    return this.judge(breaker);
  }

  /** Failures that were counted open a breaker, if they are enough; tried again until the database could say. */
  private async judge(breaker?: BreakerName): Promise<boolean> {
    let opened = false;
    for (const [name, version] of [...this.toJudge]) {
      if (breaker !== undefined && name !== breaker) continue;
      // Before the question, so that a failure counted meanwhile asks again.
      this.toJudge.delete(name);
      try {
        if (this.note(await this.deps.breakers.trip(name, version, this.deps.author()))) opened = true;
      } catch (error) {
        if (!this.toJudge.has(name)) this.toJudge.set(name, version);
        throw error;
      }
    }
    return opened;
  }

  private async count({ breaker, admitted, counts }: Lesson): Promise<boolean> {
    if (counts === 'nothing') return false;
    const failed = counts === 'failure';
    if ('probe' in admitted) return this.note(await this.deps.breakers.reportProbe(breaker, admitted.probe, failed, this.deps.author()));
    this.tally.add(breaker, admitted.version, { calls: 1, failures: failed ? 1 : 0 });
    return failed && this.flush(breaker);
  }

  private async relieve({ operation, breaker, pressure, reason }: Lesson): Promise<void> {
    const { line, limiter, breakers } = this.deps;
    const isEndpoint = pressure === 'endpoint';
    line.drain();
    if (pressure === 'account_concurrency') line.narrow(NARROW_MS);
    if (isEndpoint) await breakers.hold(operationName(operation), breaker, { fingerprint: '*', ms: ENDPOINT_PAUSE_MS, reason });
    await limiter.drain({ reason, pauseMs: isEndpoint ? 0 : ACCOUNT_PAUSE_MS, halve: !isEndpoint });
  }

  private note(made: readonly Transition[]): boolean {
    for (const transition of made) logTransition(this.deps.logger, transition);
    return made.length > 0;
  }
}
