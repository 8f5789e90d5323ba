import { recordCharge } from '../charges/record.js';
import { type Cause } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { AUTHENTICATION_REQUIRED, type Decline, cardError } from '../payment-methods/card-error.js';
import { authenticationStep } from '../payment-methods/return-url.js';
import { behaviourOf } from '../payment-methods/use.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { chargeIntent } from './charge-intent.js';
import { startDebit } from './debit.js';
import { mustAllow } from './find.js';
import { type PaymentIntent } from './payment-intent.js';
import { type Confirmation, prepareConfirmation } from './prepare.js';
import { hasPassedChallenge, isAuthenticatedForLater } from './save-method.js';

/** Submits the intent to its payment method. Ends in one of the outcomes; a decline throws 402 after the state has changed. */
export function confirmIntent(world: World, intent: PaymentIntent, params: Params, cause: Cause): PaymentIntent {
  mustAllow('confirm', intent);
  return submit(world, prepareConfirmation(world, intent, params), cause);
}

/** The second half of a confirmation, for an intent that is stored. */
export function submit(world: World, confirmation: Confirmation, cause: Cause): PaymentIntent {
  const { intent, method, offSession } = confirmation;
  const behaviour = behaviourOf(method);
  if (behaviour.kind === 'decline') return decline(world, confirmation, behaviour, cause);
  if (behaviour.kind === 'debit') return startDebit(world, intent, method, confirmation.mandate, cause);
  if (behaviour.kind !== 'authenticate') return chargeIntent(world, intent, method, cause, { authenticated: false });
  if (hasPassedChallenge(world, intent)) return chargeIntent(world, intent, method, cause, { authenticated: true });
  const setUp = behaviour.unlessSetUp === true && isAuthenticatedForLater(world, method);
  if (offSession && setUp) return chargeIntent(world, intent, method, cause, { authenticated: false });
  if (offSession || confirmation.failsOnAction) return decline(world, confirmation, AUTHENTICATION_REQUIRED, cause);
  const step = authenticationStep(`${world.baseUrl}/__3ds/${intent.id}`, confirmation.returnUrl);
  return applyOutcome(world, 'action_required', { ...intent, next_action: step }, cause);
}

function decline(world: World, { intent, method }: Confirmation, reason: Decline, cause: Cause): never {
  const charge = recordCharge(world, intent, method, { decline: reason });
  const error = { ...cardError(reason, method), charge: charge.id };
  const failed = { ...intent, payment_method: null, latest_charge: charge.id, last_payment_error: error };
  throw new StripeError(402, { ...error, payment_intent: applyOutcome(world, 'declined', failed, cause) });
}
