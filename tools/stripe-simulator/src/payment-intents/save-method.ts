import { type Cause } from '../http/call.js';
import { attachMethod } from '../payment-methods/attach.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type World } from '../world.js';
import { type PaymentIntent } from './payment-intent.js';

/**
 * `setup_future_usage`: a good payment saves its method to the customer
 * (https://docs.stripe.com/api/payment_intents/create#create_payment_intent-setup_future_usage).
 */
export function saveForLater(world: World, intent: PaymentIntent, method: PaymentMethod, cause: Cause): void {
  if (intent.setup_future_usage !== null && intent.customer !== null) attachMethod(world, method, intent.customer, cause);
}

/** A holder who was authenticated for later payments need not be present for them. */
export function rememberAuthentication(world: World, { id }: PaymentMethod): void {
  if (world.authenticatedCards.get(id) === undefined) world.authenticatedCards.insert({ id });
}
