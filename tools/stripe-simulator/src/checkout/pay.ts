import { type Cause } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { confirmIntent } from '../payment-intents/confirm.js';
import { createIntent } from '../payment-intents/create.js';
import { intentById } from '../payment-intents/find.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { AGREED } from './agreed.js';
import { completeSession } from './complete.js';
import { type Buyer, withBuyer } from './customer.js';
import { mustAllow, orderOf, sessionById } from './find.js';
import { payUrl } from './new-session.js';
import { type CheckoutSession } from './session.js';
import { setUp } from './set-up.js';
import { methodForPlan, paySubscription, paysNothingNow, startSubscription } from './subscribe.js';

export interface Payment extends Buyer {
  /** Any id that confirms an intent, for example `pm_card_visa`. */
  readonly payment_method?: string;
}

/**
 * The customer presses "Pay". The intent is made now and kept for further attempts; a decline throws 402 and leaves the session open;
 * a card that asks for authentication leaves it open until that is done.
 */
export function paySession(world: World, id: string, payment: Payment, cause: Cause): CheckoutSession {
  const session = sessionById(world, id);
  mustAllow('pay', session);
  if (session.mode === 'payment' && session.amount_total === 0) {
    return completeSession(world, withBuyer(world, session, payment, cause), 'no_payment_required', cause);
  }
  const method = payment.payment_method;
  if (method === undefined && paysNothingNow(world, session))
    return startSubscription(world, withBuyer(world, session, payment, cause), undefined, cause);
  if (method === undefined) throw invalidParam('Missing required param: payment_method.', 'payment_method', 'parameter_missing');
  const plan = session.mode === 'subscription' ? methodForPlan(world, session, method) : undefined;
  const ready = withBuyer(world, session, payment, cause);
  if (session.mode === 'payment') payIntent(world, ready, method, cause);
  if (plan !== undefined) paySubscription(world, ready, plan, cause);
  if (session.mode === 'setup') setUp(world, ready, method, cause);
  return sessionById(world, id);
}

function payIntent(world: World, session: CheckoutSession, method: string, cause: Cause): void {
  const intent = session.payment_intent === null ? newIntent(world, session, cause) : intentById(world, session.payment_intent);
  const params = { payment_method: method, mandate_data: AGREED, return_url: `${payUrl(world, session.id)}/return` };
  confirmIntent(world, intent, params, cause);
}

/** The intent of a session: its amount, customer and `payment_intent_data`. */
function newIntent(world: World, session: CheckoutSession, cause: Cause): PaymentIntent {
  const order = orderOf(world, session);
  const params = {
    ...order.paymentIntentData,
    amount: session.amount_total,
    currency: session.currency,
    ...(session.customer !== null && { customer: session.customer }),
  };
  const intent = createIntent(world, { cause, id: '', params, apiVersion: world.settings.accountApiVersion });
  world.intentOwners.insert({ id: intent.id, session: session.id });
  world.checkoutSessions.replace({ ...session, payment_intent: intent.id });
  return intent;
}
