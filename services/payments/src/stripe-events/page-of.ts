import { type CheckoutSession, type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';
import { isOfCheckout } from './adopt.js';

/** Stripe's lists are behind by a minute or so; an intent of this age whose page is still in none was made by hand, with our ids copied. */
const LISTED_AFTER_MS = 3_600_000;

/** `not_listed`: there is a page, and Stripe's list does not show it yet. The id of the payment follows from it, so ask again later. */
export type PageOf = { kind: 'ok'; session: CheckoutSession | null } | { kind: 'not_listed' } | StripeFailure;

/** The Checkout Session that made an intent of ours; null for intents that were made otherwise. An intent does not name its session, so the list is asked. */
export async function pageOf(stripe: StripePort, intent: Intent, now: Date): Promise<PageOf> {
  if (!isOfCheckout(intent)) return { kind: 'ok', session: null };
  const sessions = await stripe.listCheckoutSessions({ payment_intent: intent.id, limit: 1 });
  if (sessions.kind !== 'ok') return sessions;
  const session = sessions.value.data[0] ?? null;
  const isOld = now.getTime() - intent.created * 1000 >= LISTED_AFTER_MS;
  return session === null && !isOld ? { kind: 'not_listed' } : { kind: 'ok', session };
}
