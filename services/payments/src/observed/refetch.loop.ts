import { type Logger } from '@tidegate/telemetry/logger';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { type Kysely } from 'kysely';
import { lastCause } from '../payment/last-cause.js';
import { type PaymentsTables } from '../tables.js';
import { type LeaseKeeper } from '../work/lease-keeper.js';
import { nextLookUp, nextRetry } from '../work/schedule.js';
import { type Held, release, type WaitsFor } from '../work/work.store.js';
import { type BillingMetrics } from './billing.metrics.js';
import { type Refetch, type Refetched } from './refetch.flow.js';

export interface RefetchOneDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  keeper: LeaseKeeper;
  logger: Logger;
  refetch: Refetch;
  billingMetrics: BillingMetrics;
  onWork(): void;
  random(): number;
}

/** One run of the loop over subscriptions and invoices that Stripe shall be asked about. All wishes that came by then are one look; one that comes later is another. */
export async function refetchOne(deps: RefetchOneDeps, held: Held): Promise<void> {
  const id = held.payment_id;
  deps.keeper.keep(held);
  try {
    const isInvoice = id.startsWith('in_');
    const { cause } = await lastCause(deps.db, `${isInvoice ? 'invoice' : 'subscription'}:${id}`, 'payments.carry_on_subscriptions');
    const why = { correlation_id: cause.correlation_id, actor: 'payments' };
    const result = await withCorrelation(why.correlation_id, () =>
      isInvoice ? deps.refetch.invoice(id, why) : deps.refetch.subscription(id, why),
    );
    const { more } = await release(deps.db, held, leftOf(deps, held, result));
    if (more) deps.onWork();
  } catch (err) {
    deps.billingMetrics.stopped('internal');
    deps.logger.error({ event: 'refetch_failed', id, err }, 'A look broke off; the next one goes on in 5 s');
  } finally {
    deps.keeper.drop(held);
  }
}

function leftOf({ clock, billingMetrics, random }: RefetchOneDeps, { attempt }: Held, result: Refetched<unknown>) {
  if (result.kind !== 'no_answer') return null;
  const { outcome } = result;
  const now = clock.now();
  if (outcome?.kind === 'refused') {
    billingMetrics.stopped('stripe_unavailable');
    return { dueAt: nextRetry(now, attempt, outcome.retryAfterMs, random()), attempt, waitsFor: 'breaker_open' as WaitsFor };
  }
  if (outcome?.kind === 'limited')
    return { dueAt: nextRetry(now, attempt, outcome.retryAfterMs, random()), attempt: attempt + 1, waitsFor: 'rate_limited' as WaitsFor };
  return { dueAt: nextLookUp(now, attempt + 1), attempt: attempt + 1, waitsFor: 'answer_missing' as WaitsFor };
}
