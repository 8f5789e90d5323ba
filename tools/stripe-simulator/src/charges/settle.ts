import { planDispute } from '../disputes/plan.js';
import { AUTOMATIC, type Cause } from '../http/call.js';
import { type CaptureMethod } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { type Charge } from './charge.js';
import { recordChargeBalance } from './movements.js';

export const SETTLE_CHARGE = 'charge.settle';
/** As above, of a charge that was taken silently: an event would tell of it after all. */
export const SETTLE_SILENTLY = 'charge.settle_silently';

/**
 * What follows the capture of a charge. Its balance transaction appears: at once for `automatic`, else later with a
 * `charge.updated` (asynchronous capture). Dispute test cards are disputed.
 */
export function settle(world: World, charge: Charge, method: CaptureMethod, cause: Cause): void {
  const operation = cause.operation ?? 'POST /v1/payment_intents';
  planDispute(world, charge, operation);
  const late = world.faults.takeLate('late_balance', operation);
  if (method === 'automatic' && late === undefined) {
    world.charges.replace({ ...charge, balance_transaction: recordChargeBalance(world, charge).id });
    return;
  }
  world.scheduler.schedule(late?.ms ?? world.settings.balanceDelayMs, {
    kind: cause.silent ? SETTLE_SILENTLY : SETTLE_CHARGE,
    id: charge.id,
  });
}

/** The scheduled second half of an asynchronous capture. */
export function settleNow(world: World, id: string, cause: Cause = AUTOMATIC): void {
  const charge = world.charges.get(id);
  if (charge === undefined || charge.balance_transaction !== null) return;
  const settled = world.charges.replace({ ...charge, balance_transaction: recordChargeBalance(world, charge).id });
  world.events.emit('charge.updated', settled, cause, charge);
}
