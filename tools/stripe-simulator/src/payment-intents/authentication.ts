import { type Cause } from '../http/call.js';
import { refused } from '../http/errors.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { chargeIntent } from './charge-intent.js';
import { type PaymentIntent } from './payment-intent.js';
import { rememberChallenge } from './save-method.js';

/**
 * The customer finishes the 3-D Secure step of an intent in `requires_action`. With manual confirmation a passed one has to be
 * confirmed once more by the server (https://docs.stripe.com/payments/finalize-payments-on-the-server).
 */
export function completeAuthentication(world: World, intent: PaymentIntent, passed: boolean, cause: Cause): PaymentIntent {
  if (intent.status !== 'requires_action')
    throw refused(`${intent.id} has a status of ${intent.status} and waits for no action.`, undefined);
  const method = world.paymentMethods.get(intent.payment_method ?? '');
  if (method === undefined) throw new Error(`Bug: ${intent.id} waits for an action without a payment method`);
  if (passed && intent.confirmation_method === 'manual') {
    rememberChallenge(world, intent);
    return applyOutcome(world, 'authenticated', { ...intent, next_action: null }, cause);
  }
  if (passed) return chargeIntent(world, intent, method, cause, { authenticated: true });
  const error = {
    type: 'invalid_request_error',
    code: 'payment_intent_authentication_failure',
    doc_url: 'https://stripe.com/docs/error-codes/payment-intent-authentication-failure',
    message:
      'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
    payment_method: method,
  };
  return applyOutcome(
    world,
    'authentication_failed',
    { ...intent, payment_method: null, next_action: null, last_payment_error: error },
    cause,
  );
}
