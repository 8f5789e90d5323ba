import { type Cause } from '../http/call.js';
import { createSetup } from '../setup-intents/create.js';
import { type SetupIntent } from '../setup-intents/setup-intent.js';
import { type World } from '../world.js';
import { changeSubscription } from './change.js';
import { type Subscription } from './subscription.js';

/** With which the payer gives a payment method while nothing is to be paid: https://docs.stripe.com/billing/subscriptions/deferred-payment */
export function pendingSetup(world: World, { customer }: Subscription, cause: Cause): SetupIntent {
  const params = { customer, usage: 'off_session' };
  return createSetup(world, { cause, id: '', params, apiVersion: world.settings.accountApiVersion });
}

/** What was set up pays the subscription from then on. */
export function followPendingSetup(world: World, intent: SetupIntent, cause: Cause): void {
  if (intent.status !== 'succeeded' || intent.customer === null) return;
  const waiting = world.subscriptions.by('customer', intent.customer).find((one) => one.pending_setup_intent === intent.id);
  if (waiting) changeSubscription(world, waiting, { default_payment_method: intent.payment_method, pending_setup_intent: null }, cause);
}
