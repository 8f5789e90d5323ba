import { type Cause } from '../http/call.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { completeSession } from './complete.js';
import { type CheckoutSession } from './session.js';

/**
 * What a session in payment mode does when its intent changes: money at once completes it as paid; a delayed method or an
 * authorization completes it as unpaid, and the session hears later what became of it.
 */
export function followIntent(world: World, intent: PaymentIntent, cause: Cause): void {
  const id = world.intentOwners.get(intent.id)?.session;
  const session = id === undefined ? undefined : world.checkoutSessions.get(id);
  if (session === undefined) return;
  if (session.status === 'open') return followOpen(world, session, intent, cause);
  if (session.status === 'complete' && session.payment_status === 'unpaid') followUnpaid(world, session, intent, cause);
}

function followOpen(world: World, session: CheckoutSession, intent: PaymentIntent, cause: Cause): void {
  if (intent.status === 'succeeded') completeSession(world, session, 'paid', cause);
  if (intent.status === 'processing' || intent.status === 'requires_capture') completeSession(world, session, 'unpaid', cause);
}

/** Capturing an authorization is the merchant's doing and has no event of the session's; late money has. */
function followUnpaid(world: World, session: CheckoutSession, intent: PaymentIntent, cause: Cause): void {
  if (intent.status === 'succeeded') {
    const paid = world.checkoutSessions.replace({ ...session, payment_status: 'paid' });
    if (intent.capture_method !== 'manual') world.events.emit('checkout.session.async_payment_succeeded', paid, cause);
  }
  if (intent.status === 'requires_payment_method') world.events.emit('checkout.session.async_payment_failed', session, cause);
}
