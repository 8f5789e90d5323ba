import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { ReconciliationMetrics } from '../reconciliation-metrics.js';
import type { RepairAnswer, RepairPort } from '../repair/repair.port.js';
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

/**
 * Has payments look up what is stale or unknown. One pass; more than 0 when there may be more to ask about. Stops early when payments does not answer.
 * `alive` is called after each.
 */
export async function resolveStale(parts: StaleParts, stopping: AbortSignal, alive: () => void = () => undefined): Promise<number> {
  const { db, clock, staleSeconds } = parts;
  const now = clock.now();
  await forgetOld(db, now);
  const stale = await stalePayments(db, { now, before: new Date(now.getTime() - staleSeconds * 1000), limit: BATCH });
  for (const payment of stale) {
    if (stopping.aborted || !(await lookUp(parts, payment, now))) return 0;
    alive();
  }
  return stale.length < BATCH ? 0 : stale.length;
}

async function lookUp(
  { db, repair, logger, metrics }: StaleParts,
  { payment_id, tenant, reason, asked }: StalePayment,
  now: Date,
): Promise<boolean> {
  let answer: RepairAnswer;
  try {
    answer = await repair.lookUp({
      tenant,
      payment_id,
      stripe_payment_intent: null,
      reason: `stale: ${reason}`,
      actor: 'service:reconciliation',
    });
  } catch (err) {
    const noAnswer = err instanceof RpcUnavailable || err instanceof RpcTimeout || err instanceof RpcFailed;
    metrics.jobError('stale_payments', noAnswer ? 'payments_unavailable' : 'internal');
    logger.warn({ event: 'stale_payment_not_asked', payment_id, err }, 'Payments gave no answer that can be read');
    // A look-up that is slow or fails must not be repeated at once, nor hold up the others for ever.
    await recordAsked(db, payment_id, nextLookUp(0, now), 'no answer');
    return !(err instanceof RpcUnavailable);
  }
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
}
