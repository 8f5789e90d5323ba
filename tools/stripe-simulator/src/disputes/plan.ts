import { type Charge } from '../charges/charge.js';
import { AUTOMATIC } from '../http/call.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type World } from '../world.js';
import { openDispute } from './open.js';

export const OPEN_DISPUTE = 'dispute.open';

export const OPEN_LATE_DISPUTE = 'dispute.open_late';

/**
 * The charges of Stripe's dispute test cards and accounts are disputed soon after they succeeded, and any other when a fault says so.
 * `operation` is the request that captured the charge.
 */
export function planDispute(world: World, charge: Charge, operation: string): void {
  const late = world.faults.takeLate('late_dispute', operation);
  if (late !== undefined) world.scheduler.schedule(late.ms ?? world.settings.disputeDelayMs, { kind: OPEN_LATE_DISPUTE, id: charge.id });
  else if (plannedFor(world, charge) !== undefined)
    world.scheduler.schedule(world.settings.disputeDelayMs, { kind: OPEN_DISPUTE, id: charge.id });
}

/** The scheduled dispute of a fault: the cardholder says that it was fraud. */
export function openLateDispute(world: World, chargeId: string): void {
  const charge = world.charges.get(chargeId);
  if (charge !== undefined && !charge.disputed) openDispute(world, charge, { kind: 'chargeback', reason: 'fraudulent' }, AUTOMATIC);
}

/** The scheduled dispute of a test payment method. */
export function openPlannedDispute(world: World, chargeId: string): void {
  const charge = world.charges.get(chargeId);
  const planned = charge && plannedFor(world, charge);
  if (charge === undefined || planned === undefined || charge.disputed) return;
  openDispute(world, charge, planned.dispute, AUTOMATIC);
}

function plannedFor(world: World, charge: Charge): { dispute: Parameters<typeof openDispute>[2] } | undefined {
  const method = world.paymentMethods.get(charge.payment_method);
  const behaviour = method && behaviourOf(method);
  if (behaviour?.kind === 'disputed') return behaviour;
  return behaviour?.kind === 'debit' && behaviour.dispute !== undefined ? { dispute: behaviour.dispute } : undefined;
}
