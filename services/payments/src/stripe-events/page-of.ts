import { type CheckoutSession, type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';
import { isOfCheckout } from './adopt.js';

/** The Checkout Session that made an intent of ours; null for intents that were made otherwise. An intent does not name its session, so the list is asked. */
export async function pageOf(stripe: StripePort, intent: Intent): Promise<{ kind: 'ok'; session: CheckoutSession | null } | StripeFailure> {
  if (!isOfCheckout(intent)) return { kind: 'ok', session: null };
  const sessions = await stripe.listCheckoutSessions({ payment_intent: intent.id, limit: 1 });
  return sessions.kind === 'ok' ? { kind: 'ok', session: sessions.value.data[0] ?? null } : sessions;
}
