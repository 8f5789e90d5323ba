import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { ReconciliationMetrics } from '../reconciliation-metrics.js';
import type { RepairPort } from '../repair/repair.port.js';
import type { ReconciliationTables } from '../tables.js';
import { nextLookUp } from './stale.decide.js';
import { forgetOld, recordAsked, type StalePayment, stalePayments } from './stale.store.js';

export interface StaleParts {
  db: Kysely<ReconciliationTables>;
  clock: Clock;
  logger: Logger;
  metrics: ReconciliationMetrics;
  repair: RepairPort;
  /** How old something is before it counts as stale. */
  staleSeconds: number;
}

const BATCH = 100;

/** Has payments look up what is stale or unknown. One pass; the number of payments asked about. Stops early when payments does not answer. */
export async function resolveStale(parts: StaleParts, stopping: AbortSignal): Promise<number> {
  const { db, clock, staleSeconds } = parts;
  const now = clock.now();
  await forgetOld(db, now);
  const stale = await stalePayments(db, { now, before: new Date(now.getTime() - staleSeconds * 1000), limit: BATCH });
  for (const payment of stale) {
    if (stopping.aborted || !(await lookUp(parts, payment, now))) break;
  }
  return stale.length < BATCH ? 0 : stale.length;
}

async function lookUp(
  { db, repair, logger, metrics }: StaleParts,
  { payment_id, tenant, reason, asked }: StalePayment,
  now: Date,
): Promise<boolean> {
  try {
    const answer = await repair.lookUp({
      tenant,
      payment_id,
      stripe_payment_intent: null,
      reason: `stale: ${reason}`,
      actor: 'service:reconciliation',
    });
    await recordAsked(db, payment_id, nextLookUp(asked, now), answer.kind === 'asked' ? 'asked' : answer.code);
    logger.info(
      { event: 'stale_payment_looked_up', payment_id, reason, answer: answer.kind, asked: asked + 1 },
      'A stale payment was handed to payments',
    );
    if (answer.kind === 'refused')
      logger.error(
        { event: 'stale_payment_refused', payment_id, status: answer.status, code: answer.code },
        'Payments refuses to look a payment up',
      );
    return true;
  } catch (err) {
    if (!(err instanceof RpcUnavailable || err instanceof RpcTimeout || err instanceof RpcFailed)) throw err;
    metrics.jobError('stale_payments', 'payments_unavailable');
    logger.warn({ event: 'stale_payment_not_asked', payment_id, err }, 'Payments gave no answer');
    // A slow look-up of one payment must not be repeated at once, nor hold up the others for ever.
    await recordAsked(db, payment_id, nextLookUp(0, now), 'no answer');
    return !(err instanceof RpcUnavailable);
  }
}
