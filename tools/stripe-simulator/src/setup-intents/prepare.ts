import { invalidParam } from '../http/errors.js';
import { mandateFor } from '../mandates/find.js';
import { mustBeAllowed } from '../payment-methods/allowed-types.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { mustHaveReturnUrl } from '../payment-methods/return-url.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { unexpectedState } from './find.js';
import { type SetupIntent } from './setup-intent.js';

/** A confirmation that nothing in its parameters speaks against. */
export interface SetupConfirmation {
  readonly intent: SetupIntent;
  readonly method: PaymentMethod;
  readonly returnUrl: string | undefined;
}

/** Checks everything that can refuse a confirmation, before anything is changed. */
export function prepareSetup(world: World, before: SetupIntent, params: Params): SetupConfirmation {
  const asked = (params['payment_method'] as string | undefined) ?? before.payment_method;
  if (asked === null) throw world.setupIntents.get(before.id) ? unexpectedState(MISSING_METHOD, before) : missingAtCreation();
  mustHaveReturnUrl(before.automatic_payment_methods, params, 'SetupIntent');
  const method = usablePaymentMethod(world, asked, before.customer ?? undefined);
  mustBeAllowed(method, before.payment_method_types, 'SetupIntent');
  const mandate = mandateFor(world, method, params, 'multi_use', 'SetupIntent');
  const intent = { ...before, payment_method: method.id, last_setup_error: null, next_action: null, mandate: mandate?.id ?? null };
  return { intent, method, returnUrl: params['return_url'] as string | undefined };
}

function missingAtCreation(): Error {
  return invalidParam(MISSING_METHOD, 'payment_method', 'setup_intent_unexpected_state');
}

const MISSING_METHOD =
  "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.";
