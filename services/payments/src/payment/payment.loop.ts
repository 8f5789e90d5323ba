import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from '@tidegate/telemetry/logger';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { acquireDue, type Held } from '../work/work.store.js';
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
}

/** How often due payments are looked for; a signal makes it sooner. */
export const CARRY_ON_INTERVAL_MS = 250;
const AT_ONCE = 10;
/** A pass of the loop waits this long for what it began. */
export const PATIENCE_MS = 1000;
const RUN_MS = 60_000;

/** Carries on payments whose time has come or whose holder is gone, in any replica; leases keep two from the same payment. */
export class PaymentLoop {
  private readonly inHand = new Set<Promise<void>>();
  private passes = 0;

  constructor(private readonly deps: PaymentLoopDeps) {}

  /**
   * One pass: begins what is due, as far as places are free, and answers how many. Waits for what it began, `patienceMs` at most, so that one payment whose
   * calls hang does not hold up the others.
   */
  async runOnce(patienceMs: number): Promise<number> {
    const free = AT_ONCE - this.inHand.size;
    const due =
      free > 0 ? await acquireDue(this.deps.db, `${this.deps.instance}#loop${(this.passes += 1)}`, this.deps.clock.now(), free) : [];
    for (const held of due) {
      const work = carryOne(this.deps, held).finally(() => this.inHand.delete(work));
      this.inHand.add(work);
    }
    if (this.inHand.size > 0) await Promise.race([Promise.all(this.inHand), delay(patienceMs, undefined, { ref: false })]);
    return due.length;
  }

  async idle(): Promise<void> {
    await Promise.all(this.inHand);
  }
}

async function carryOne(deps: PaymentLoopDeps, held: Held): Promise<void> {
  try {
    const { cause, traceparent } = await lastCause(deps.db, held.payment_id);
    await withCorrelation(cause.correlation_id, () =>
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
        };
        await deps.carryOn.run(run);
        deps.metrics.retried(run.loaded.state.kind === 'payment' && run.loaded.state.pending ? 'later' : 'settled');
      }),
    );
  } catch (err) {
    deps.metrics.retried('failed');
    deps.logger.error({ event: 'payment_run_failed', payment_id: held.payment_id, err }, 'A run broke off; the next one goes on in 5 s');
  }
}
