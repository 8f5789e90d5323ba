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
const RUN_MS = 60_000;

/** Carries on every payment whose time has come or whose holder is gone, in any replica; leases keep two from the same payment. Answers how many. */
export async function runOnce(deps: PaymentLoopDeps): Promise<number> {
  const due = await acquireDue(deps.db, `${deps.instance}#loop`, deps.clock.now(), AT_ONCE);
  await Promise.all(due.map((held) => carryOne(deps, held)));
  return due.length;
}

async function carryOne(deps: PaymentLoopDeps, held: Held): Promise<void> {
  try {
    const { cause, traceparent } = await lastCause(deps.db, held.payment_id);
    await withCorrelation(cause.correlation_id, () =>
      inSpan('payments.carry_on', { parent: traceparent, attributes: { 'payments.payment_id': held.payment_id } }, async () => {
        const loaded = await load(deps.db, held.payment_id);
        const stale = held.takenOver ? openCalls(loaded.state) : new Set<string>();
        const run: Run = { held, loaded, cause, deadline: Date.now() + RUN_MS, stale, released: false, replies: new Map(), turnedAway: null };
        await deps.carryOn.run(run);
        deps.metrics.retried(run.loaded.state.kind === 'payment' && run.loaded.state.pending ? 'later' : 'settled');
      }),
    );
  } catch (err) {
    deps.metrics.retried('failed');
    deps.logger.error({ event: 'payment_run_failed', payment_id: held.payment_id, err }, 'A run broke off; the next one goes on in 5 s');
  }
}
