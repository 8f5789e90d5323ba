import { type Logger } from '@tidegate/telemetry/logger';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { lastCause } from '../payment/last-cause.js';
import { type PaymentsTables } from '../tables.js';
import { type Held } from '../work/work.store.js';
import { type CarryOn } from './carry-on.flow.js';
import { type CheckoutMetrics } from './checkout.metrics.js';
import { load, streamOf } from './checkout.store.js';
import { newRun } from './run.js';

const RUN_MS = 60_000;

export interface CarryOneDeps {
  db: Kysely<PaymentsTables>;
  carryOn: CarryOn;
  logger: Logger;
  checkoutMetrics: CheckoutMetrics;
}

/** One run of the loop, as part of the story that set the checkout in motion last. */
export async function carryCheckout({ db, carryOn, logger, checkoutMetrics }: CarryOneDeps, held: Held): Promise<void> {
  const id = held.payment_id;
  try {
    const { cause, traceparent } = await lastCause(db, streamOf(id), 'payments.carry_on_checkouts');
    await withCorrelation(cause.correlation_id, () =>
      inSpan('payments.carry_on_checkouts', { parent: traceparent, attributes: { 'payments.checkout_id': id } }, async () => {
        const run = newRun(held, await load(db, id), cause, Date.now() + RUN_MS);
        await carryOn.run(run);
        if (run.waitsFor === 'breaker_open') checkoutMetrics.carryOnStopped('stripe_unavailable');
      }),
    );
  } catch (err) {
    checkoutMetrics.carryOnStopped('internal');
    logger.error({ event: 'checkout_run_failed', payment_session_id: id, err }, 'A run broke off; the next one goes on in 5 s');
  }
}
