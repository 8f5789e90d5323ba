import { AUTOMATIC, type Cause } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { cancelIntent } from '../payment-intents/cancel.js';
import { ALLOWED_FROM as INTENT_ALLOWED_FROM } from '../payment-intents/transitions.js';
import { cancelSetup } from '../setup-intents/cancel.js';
import { ALLOWED_FROM as SETUP_ALLOWED_FROM } from '../setup-intents/transitions.js';
import { endSubscription } from '../subscriptions/end.js';
import { type World } from '../world.js';
import { mustAllow } from './find.js';
import { type CheckoutSession } from './session.js';

export const EXPIRE_SESSION = 'checkout_session.expire';

const SHORTEST_SECONDS = 30 * 60;
const LONGEST_SECONDS = 24 * 3_600;

/** `expires_at`: 30 minutes to 24 hours from now, 24 hours by default (the `expires_at` parameter's documentation). */
export function checkedExpiry(world: World, asked: number | undefined): number {
  const now = world.clock.nowSeconds();
  if (asked === undefined) return now + LONGEST_SECONDS;
  if (asked < now + SHORTEST_SECONDS) {
    throw invalidParam('The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.', 'expires_at');
  }
  if (asked > now + LONGEST_SECONDS) {
    throw invalidParam('The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.', 'expires_at');
  }
  return asked;
}

export function planExpiry(world: World, session: CheckoutSession): void {
  world.scheduler.scheduleAt(session.expires_at * 1000, { kind: EXPIRE_SESSION, id: session.id });
}

/** The scheduled end of a session that nobody paid. */
export function expireDue(world: World, id: string): void {
  const session = world.checkoutSessions.get(id);
  if (session?.status === 'open') expireSession(world, session, AUTOMATIC);
}

/** Ends an open session; an intent from a failed attempt is cancelled with it, whichever kind. */
export function expireSession(world: World, session: CheckoutSession, cause: Cause): CheckoutSession {
  mustAllow('expire', session);
  const expired = world.checkoutSessions.replace({ ...session, status: 'expired', url: null });
  const intent = session.payment_intent === null ? undefined : world.paymentIntents.get(session.payment_intent);
  if (intent !== undefined && INTENT_ALLOWED_FROM.cancel.includes(intent.status)) cancelIntent(world, intent, 'expired', cause);
  const setup = session.setup_intent === null ? undefined : world.setupIntents.get(session.setup_intent);
  if (setup !== undefined && SETUP_ALLOWED_FROM.cancel.includes(setup.status)) cancelSetup(world, setup, null, cause);
  const subscription = world.subscriptions.get(session.subscription ?? '');
  if (subscription?.status === 'incomplete') endSubscription(world, subscription, {}, cause);
  world.events.emit('checkout.session.expired', expired, cause);
  return expired;
}
