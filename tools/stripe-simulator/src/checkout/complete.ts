import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type CheckoutSession } from './session.js';

/** The customer has done his part. */
export function completeSession(
  world: World,
  session: CheckoutSession,
  paymentStatus: CheckoutSession['payment_status'],
  cause: Cause,
): CheckoutSession {
  const complete = world.checkoutSessions.replace({ ...session, status: 'complete', payment_status: paymentStatus, url: null });
  world.events.emit('checkout.session.completed', complete, cause);
  return complete;
}
