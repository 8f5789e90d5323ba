import { type Cause } from '../http/call.js';
import { StripeError, refused } from '../http/errors.js';
import { rememberAuthentication } from '../payment-intents/save-method.js';
import { attachMethod, declineOnSaving } from '../payment-methods/attach.js';
import { type Decline, cardError } from '../payment-methods/card-error.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { authenticationStep } from '../payment-methods/return-url.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { finishAttempt, recordAttempt } from './attempts.js';
import { mustAllow } from './find.js';
import { type SetupConfirmation, prepareSetup } from './prepare.js';
import { type SetupIntent } from './setup-intent.js';

/** Tries the payment method. Ends in one of the outcomes; a decline throws 402 after the state has changed. */
export function confirmSetup(world: World, intent: SetupIntent, params: Params, cause: Cause): SetupIntent {
  mustAllow('confirm', intent);
  return submitSetup(world, prepareSetup(world, intent, params), cause);
}

/** The second half of a confirmation, for an intent that is stored. */
export function submitSetup(world: World, { intent, method, returnUrl }: SetupConfirmation, cause: Cause): SetupIntent {
  finishAttempt(world, intent, 'abandoned');
  const reason = declineOnSaving(method);
  if (reason !== undefined) return decline(world, intent, method, reason, cause);
  if (behaviourOf(method).kind !== 'authenticate') return succeed(world, recordAttempt(world, intent, method, 'succeeded'), method, cause);
  const step = authenticationStep(`${world.baseUrl}/__3ds/${intent.id}`, returnUrl);
  return applyOutcome(world, 'action_required', { ...recordAttempt(world, intent, method, 'requires_action'), next_action: step }, cause);
}

/** The customer finishes the 3-D Secure step of a setup. */
export function completeSetup(world: World, intent: SetupIntent, outcome: 'passed' | 'failed', cause: Cause): SetupIntent {
  if (intent.status !== 'requires_action')
    throw refused(`${intent.id} has a status of ${intent.status} and waits for no action.`, undefined);
  const method = world.paymentMethods.get(intent.payment_method ?? '');
  if (method === undefined) throw new Error(`Bug: ${intent.id} waits for an action without a payment method`);
  if (outcome === 'passed') {
    finishAttempt(world, intent, 'succeeded');
    if (intent.usage === 'off_session') rememberAuthentication(world, method);
    return succeed(world, { ...intent, next_action: null }, method, cause);
  }
  const error = { ...NOT_AUTHENTICATED, payment_method: method };
  finishAttempt(world, intent, 'failed', error);
  return applyOutcome(world, 'failed', { ...intent, payment_method: null, next_action: null, last_setup_error: error }, cause);
}

function succeed(world: World, intent: SetupIntent, method: PaymentMethod, cause: Cause): SetupIntent {
  if (intent.customer !== null) attachMethod(world, method, intent.customer, cause);
  return applyOutcome(world, 'succeeded', intent, cause);
}

function decline(world: World, intent: SetupIntent, method: PaymentMethod, reason: Decline, cause: Cause): never {
  const error = cardError(reason, method);
  const failed = { ...recordAttempt(world, intent, method, 'failed', error), payment_method: null, last_setup_error: error };
  throw new StripeError(402, { ...error, setup_intent: applyOutcome(world, 'failed', failed, cause) });
}

const NOT_AUTHENTICATED = {
  type: 'invalid_request_error',
  code: 'setup_intent_authentication_failure',
  doc_url: 'https://stripe.com/docs/error-codes/setup-intent-authentication-failure',
  message:
    'The latest attempt to set up the payment method has failed because authentication failed. You can provide a new payment method to attempt to fulfill this SetupIntent again.',
};
