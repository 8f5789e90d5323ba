import { invalidParam } from '../http/errors.js';
import { mandateFor } from '../mandates/find.js';
import { type MandateUse } from '../mandates/record.js';
import { checkedMaximum } from '../money/amounts.js';
import { mustBeAllowed } from '../payment-methods/allowed-types.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { mustHaveReturnUrl } from '../payment-methods/return-url.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { shownAs } from '../schema/complete.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { unexpectedState } from './find.js';
import { type PaymentIntent } from './payment-intent.js';
import { withTypes } from './with-types.js';

/** A confirmation that nothing in its parameters speaks against. */
export interface Confirmation {
  readonly intent: PaymentIntent;
  readonly method: PaymentMethod;
  /** The id of the permission to debit; undefined for cards. */
  readonly mandate: string | undefined;
  /** The customer is not there to authenticate. */
  readonly offSession: boolean;
  /** An authentication step counts as a decline. */
  readonly failsOnAction: boolean;
  readonly returnUrl: string | undefined;
}

/** Checks everything that can refuse a confirmation, before anything is changed. */
export function prepareConfirmation(world: World, before: PaymentIntent, params: Params): Confirmation {
  const asked = (params['payment_method'] as string | undefined) ?? before.payment_method;
  if (asked === null) throw world.paymentIntents.get(before.id) ? unexpectedState(MISSING_METHOD, before) : missingAtCreation();
  mustHaveReturnUrl(before.automatic_payment_methods, params, 'PaymentIntent');
  const method = usablePaymentMethod(world, asked, before.customer ?? undefined);
  const intent = withTypes({ ...before, ...changes(before, params), payment_method: method.id });
  mustBeAllowed(method, intent.payment_method_types, 'PaymentIntent');
  checkedMaximum(intent.amount, intent.currency, method);
  const mandate = mandateFor(world, method, params, mandateUse(intent), 'PaymentIntent');
  return {
    intent,
    method,
    mandate: mandate?.id,
    offSession: params['off_session'] !== undefined && params['off_session'] !== false,
    failsOnAction: params['error_on_requires_action'] === true,
    returnUrl: params['return_url'] as string | undefined,
  };
}

function changes(before: PaymentIntent, params: Params): Partial<PaymentIntent> {
  return {
    last_payment_error: null,
    next_action: null,
    receipt_email: (params['receipt_email'] as string | null | undefined) ?? before.receipt_email,
    shipping: params['shipping'] === undefined ? before.shipping : shownAs('payment_intent', 'shipping', params['shipping']),
    capture_method: (params['capture_method'] as PaymentIntent['capture_method'] | undefined) ?? before.capture_method,
    setup_future_usage: (params['setup_future_usage'] as string | null | undefined) ?? before.setup_future_usage,
  };
}

/** A debit for later payments too needs a permission for good. */
function mandateUse({ amount, currency, setup_future_usage: later }: PaymentIntent): MandateUse {
  return later === null ? { amount, currency } : 'multi_use';
}

function missingAtCreation(): Error {
  return invalidParam(MISSING_METHOD, 'payment_method', 'payment_intent_unexpected_state');
}

const MISSING_METHOD =
  "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.";
