import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from '@tidegate/telemetry/logger';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { hearOf } from '../work/wake.js';
import { acquirePayments, type Held } from '../work/work.store.js';
import { type CarryOn } from './carry-on.flow.js';
import { type PaymentMetrics } from './payment.metrics.js';
import { load } from './payment.store.js';
import { lastCause } from './last-cause.js';
import { openCalls, type Run } from './run.js';

export interface PaymentLoopDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  carryOn: CarryOn;
  metrics: PaymentMetrics;
  logger: Logger;
  instance: string;
  fleet: Parameters<typeof hearOf>[1];
  /** Payments carried on at once in this process. */
  concurrency: number;
}

/** How often due payments are looked for; a signal makes it sooner. */
export const CARRY_ON_INTERVAL_MS = 250;
/** A pass of the loop waits this long for what it began. */
export const PATIENCE_MS = 1000;
const RUN_MS = 60_000;
/** While a limit turns calls away nothing is begun that it would turn away too; never for longer than this. */
const LONGEST_PAUSE_MS = 1000;

/** Carries on payments whose time has come or whose holder is gone, for tenants in turn, in any replica; leases keep two from the same payment. */
export class PaymentLoop {
  private readonly inHand = new Set<Promise<void>>();
  private passes = 0;
  private pausedUntil = 0;
  /** Whose turn it was. */
  private last = '';

  constructor(private readonly deps: PaymentLoopDeps) {}

  /**
   * One pass: begins what is due, as far as places are free, and answers how many. Waits for what it began, `patienceMs` at most, so that one payment whose
   * calls hang does not hold up the others.
   */
  async runOnce(patienceMs: number): Promise<number> {
    const now = this.deps.clock.now();
    const free = now.getTime() < this.pausedUntil ? 0 : this.deps.concurrency - this.inHand.size;
    const due =
      free > 0 ? await acquirePayments(this.deps.db, `${this.deps.instance}#loop${(this.passes += 1)}`, now, free, this.last) : [];
    this.last = due.at(-1)?.tenant ?? this.last;
    await hearOf(due, this.deps.fleet);
    for (const held of due) {
      const work: Promise<void> = carryOne(this.deps, held)
        .then((limitedUntil) => this.pause(limitedUntil))
        .finally(() => this.inHand.delete(work));
      this.inHand.add(work);
    }
    if (this.inHand.size > 0) await Promise.race([Promise.all(this.inHand), delay(patienceMs, undefined, { ref: false })]);
    return due.length;
  }

  async idle(): Promise<void> {
    await Promise.all(this.inHand);
  }

  private pause(until: Date | null): void {
    if (until) this.pausedUntil = Math.min(until.getTime(), this.deps.clock.now().getTime() + LONGEST_PAUSE_MS);
  }
}

/** Answers until when a limit turned it away, if one did. */
async function carryOne(deps: PaymentLoopDeps, held: Held): Promise<Date | null> {
  try {
    const { cause, traceparent } = await lastCause(deps.db, `payment:${held.payment_id}`, 'payments.carry_on');
    return await withCorrelation(cause.correlation_id, () =>
      inSpan('payments.carry_on', { parent: traceparent, attributes: { 'payments.payment_id': held.payment_id } }, async () => {
        const loaded = await load(deps.db, held.payment_id);
        const stale = held.takenOver ? openCalls(loaded.state) : new Set<string>();
        const run: Run = {
          held,
          loaded,
          cause,
          deadline: Date.now() + RUN_MS,
          stale,
          released: false,
          replies: new Map(),
          turnedAway: null,
          refused: false,
          waitsFor: 'another_look',
          limitedUntil: null,
        };
        await deps.carryOn.run(run);
        if (run.refused || run.turnedAway) deps.metrics.carryOnStopped('stripe_unavailable');
        deps.metrics.retried(run.loaded.state.kind === 'payment' && run.loaded.state.pending ? 'later' : 'settled');
        return run.limitedUntil;
      }),
    );
  } catch (err) {
    deps.metrics.retried('failed');
    deps.metrics.carryOnStopped('internal');
    deps.logger.error({ event: 'payment_run_failed', payment_id: held.payment_id, err }, 'A run broke off; the next one goes on in 5 s');
    return null;
  }
}
