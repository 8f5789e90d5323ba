import { AUTOMATIC, type Cause } from '../http/call.js';
import { recordRelease } from '../refunds/release.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { mustAllow } from './find.js';
import { type PaymentIntent } from './payment-intent.js';

/** Cancels an intent; an authorization is released. */
export function cancelIntent(world: World, intent: PaymentIntent, reason: string | null, cause: Cause): PaymentIntent {
  mustAllow('cancel', intent);
  return end(world, intent, reason, cause, 'released');
}

/** The bank no longer holds the money: what happens to an intent that was never captured. */
export function expireAuthorization(world: World, id: string): void {
  const intent = world.paymentIntents.get(id);
  if (intent?.status === 'requires_capture') end(world, intent, 'automatic', AUTOMATIC, 'expired');
}

function end(
  world: World,
  intent: PaymentIntent,
  reason: string | null,
  cause: Cause,
  whenAuthorized: 'released' | 'expired',
): PaymentIntent {
  const authorized = intent.status === 'requires_capture' ? world.charges.get(intent.latest_charge ?? '') : undefined;
  if (authorized !== undefined) {
    const charge = world.charges.replace({ ...authorized, refunded: true, amount_refunded: authorized.amount });
    recordRelease(world, charge, charge.amount, whenAuthorized === 'expired' ? 'expired_uncaptured_charge' : null);
  }
  const canceled = {
    ...intent,
    amount_capturable: 0,
    canceled_at: world.clock.nowSeconds(),
    cancellation_reason: reason,
    next_action: null,
  };
  return applyOutcome(world, authorized === undefined ? 'canceled' : whenAuthorized, canceled, cause);
}
