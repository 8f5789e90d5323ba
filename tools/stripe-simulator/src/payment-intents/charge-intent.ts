import { recordCharge } from '../charges/record.js';
import { settle } from '../charges/settle.js';
import { type Cause } from '../http/call.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { type PaymentIntent } from './payment-intent.js';
import { rememberAuthentication, saveForLater } from './save-method.js';

export const EXPIRE_AUTHORIZATION = 'payment_intent.expire';

interface How {
  /** Whether the holder passed a 3-D Secure challenge for it. */
  readonly authenticated: boolean;
}

/** Takes or holds the money: what happens after a good confirmation or a passed authentication. */
export function chargeIntent(world: World, intent: PaymentIntent, method: PaymentMethod, cause: Cause, how: How): PaymentIntent {
  if (how.authenticated && intent.setup_future_usage === 'off_session') rememberAuthentication(world, method);
  const charged = takeOrHold(world, intent, method, cause, how);
  saveForLater(world, charged, method, cause);
  return charged;
}

function takeOrHold(world: World, intent: PaymentIntent, method: PaymentMethod, cause: Cause, how: How): PaymentIntent {
  const manual = intent.capture_method === 'manual';
  const charge = recordCharge(world, intent, method, { captured: !manual, ...how });
  const charged = { ...intent, latest_charge: charge.id, next_action: null };
  if (manual) {
    world.scheduler.schedule(world.settings.authorizationSeconds * 1000, { kind: EXPIRE_AUTHORIZATION, id: intent.id });
    return applyOutcome(world, 'authorized', { ...charged, amount_capturable: intent.amount }, cause);
  }
  settle(world, charge, intent.capture_method, cause);
  return applyOutcome(world, 'succeeded', { ...charged, amount_received: intent.amount }, cause);
}
