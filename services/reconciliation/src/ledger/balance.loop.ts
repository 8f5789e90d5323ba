import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import { readPatiently, StripeUnanswered } from '../compare/patient-stripe.js';
import type { ReconciliationMetrics } from '../reconciliation-metrics.js';
import { countPending, endPass, movePass, openPass, type Pass, rewindAhead, SweepTakenOver } from './balance-sweep.store.js';
import { type AttributionParts, recordFees, type StripeOfAttribution, unrecorded } from './record-movements.js';

export interface BalanceParts extends AttributionParts {
  stripe: StripeOfAttribution & Pick<StripePort, 'listBalanceTransactions'>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  metrics: ReconciliationMetrics;
  patienceMs: number;
  /** What Stripe has moved more recently waits for the next pass: payments' word of it is on its way. */
  quietMs: number;
  /** The outbox has rows. */
  staged(): void;
}

const PAGE = 100;

/**
 * Reads Stripe's balance transactions up to now, records those that are new, and counts the sales without one. One page is held at a time; the place is
 * kept with each, so that the next leader goes on where this one ended. Answers 0: another pass can wait.
 */
export async function readBalance(parts: BalanceParts, stopping: AbortSignal, alive: () => void = () => undefined): Promise<number> {
  const { db, clock, quietMs, metrics, logger } = parts;
  const to = new Date(clock.now().getTime() - quietMs);
  if (await rewindAhead(db, to))
    logger.error(
      { event: 'balance_sweep_ahead', to },
      "Stripe's balance transactions were noted as read up to a time that has not come: a clock is or was wrong, and a month of them is read once more",
    );
  const pass = await openPass(db, to);
  try {
    const recorded = await readPass(parts, pass, { stopping, alive });
    await endPass(db, pass);
    // A figure to look at; whatever keeps it from being counted keeps no money from being posted.
    const { pending } = await countPending(db, pass);
    if (recorded > 0) logger.info({ event: 'fees_recorded', recorded, fee_pending: pending }, "Movements of Stripe's balance were posted");
  } catch (error) {
    if (stopping.aborted || error instanceof SweepTakenOver) return 0;
    metrics.jobError('ledger', error instanceof StripeUnanswered ? 'stripe_unavailable' : 'internal');
    if (!(error instanceof StripeUnanswered)) throw error;
    logger.warn({ event: 'balance_not_read', failure: error.failure }, "Stripe's balance transactions could not be read");
  }
  return 0;
}

async function readPass(parts: BalanceParts, pass: Pass, { stopping, alive }: { stopping: AbortSignal; alive(): void }): Promise<number> {
  const { stripe, patienceMs, clock } = parts;
  const patience = { patienceMs, stopping, alive };
  const created = { lte: seconds(pass.to), ...(pass.from ? { gte: seconds(pass.from) } : {}) };
  let recorded = 0;
  for (;;) {
    const place = pass.after === null ? {} : { starting_after: pass.after };
    const page = await readPatiently(() => stripe.listBalanceTransactions({ limit: PAGE, created, ...place }), patience);
    const last = page?.data.at(-1);
    if (!page) throw new Error('Stripe has no list of balance transactions');
    if (!last) return recorded;
    const events = await unrecorded(parts, page.data, patience);
    recorded += await inTransaction(parts, 'reconciliation.balance.record', async (tx) => {
      await movePass(tx, pass, last.id);
      return recordFees(tx, events, clock.now());
    });
    pass.after = last.id;
    if (events.length > 0) parts.staged();
    if (!page.has_more) return recorded;
  }
}

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);
