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
  remember(world, id);
}

export function isAuthenticatedForLater(world: World, { id }: PaymentMethod): boolean {
  return world.authenticated.get(id) !== undefined;
}

/** The challenge that was passed for an intent holds for it, the card it has now and the amount that the holder saw. */
export function rememberChallenge(world: World, intent: PaymentIntent): void {
  remember(world, challengeOf(intent));
}

export function hasPassedChallenge(world: World, intent: PaymentIntent): boolean {
  return world.authenticated.get(challengeOf(intent)) !== undefined;
}

function challengeOf({ id, payment_method: method, amount, currency }: PaymentIntent): string {
  return `${id}/${method ?? ''}/${amount} ${currency}`;
}

function remember(world: World, id: string): void {
  if (world.authenticated.get(id) === undefined) world.authenticated.insert({ id });
}
