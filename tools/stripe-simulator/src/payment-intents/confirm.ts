import { recordCharge } from '../charges/record.js';
import { settle } from '../charges/settle.js';
import { type Cause } from '../http/call.js';
import { StripeError, invalidParam } from '../http/errors.js';
import { mandateFor } from '../mandates/find.js';
import { type MandateUse } from '../mandates/record.js';
import { mustBeAllowed } from '../payment-methods/allowed-types.js';
import { checkedMaximum } from '../money/amounts.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { type Behaviour } from '../payment-methods/test-cards.js';
import { behaviourOf, usablePaymentMethod } from '../payment-methods/use.js';
import { shownAs } from '../schema/complete.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { startDebit } from './debit.js';
import { mustAllow, unexpectedState } from './find.js';
import { type PaymentIntent } from './payment-intent.js';
import { rememberAuthentication, saveForLater } from './save-method.js';
import { withTypes } from './with-types.js';

export const EXPIRE_AUTHORIZATION = 'payment_intent.expire';

type Decline = Extract<Behaviour, { kind: 'decline' }>;

const AUTHENTICATION_REQUIRED: Decline = {
  kind: 'decline',
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/** Submits the intent to its payment method. Ends in one of the outcomes; a decline throws 402 after the state has changed. */
export function confirmIntent(world: World, before: PaymentIntent, params: Params, cause: Cause): PaymentIntent {
  mustAllow('confirm', before);
  const asked = (params['payment_method'] as string | undefined) ?? before.payment_method;
  if (asked === null) throw unexpectedState(MISSING_METHOD, before);
  checkReturnUrl(before, params);
  const method = usablePaymentMethod(world, asked, before.customer ?? undefined);
  const intent: PaymentIntent = withTypes({
    ...before,
    payment_method: method.id,
    last_payment_error: null,
    next_action: null,
    receipt_email: (params['receipt_email'] as string | null | undefined) ?? before.receipt_email,
    shipping: params['shipping'] === undefined ? before.shipping : shownAs('payment_intent', 'shipping', params['shipping']),
    capture_method: (params['capture_method'] as PaymentIntent['capture_method'] | undefined) ?? before.capture_method,
    setup_future_usage: (params['setup_future_usage'] as string | null | undefined) ?? before.setup_future_usage,
  });
  mustBeAllowed(method, intent.payment_method_types, 'PaymentIntent');
  checkedMaximum(intent.amount, intent.currency, method);
  const mandate = mandateFor(world, method, params, mandateUse(intent), 'PaymentIntent');
  const behaviour = behaviourOf(method);
  if (behaviour.kind === 'decline') return decline(world, intent, method, behaviour, cause);
  if (behaviour.kind === 'debit') return startDebit(world, intent, method, mandate?.id, cause);
  if (behaviour.kind !== 'authenticate') return chargeIntent(world, intent, method, cause);
  const absent = params['off_session'] !== undefined && params['off_session'] !== false;
  const setUp = behaviour.unlessSetUp === true && world.authenticatedCards.get(method.id) !== undefined;
  if (absent && setUp) return chargeIntent(world, intent, method, cause);
  if (absent || params['error_on_requires_action'] === true) return decline(world, intent, method, AUTHENTICATION_REQUIRED, cause);
  return requireAction(world, intent, params['return_url'] as string | undefined, cause);
}

/** Takes or authorizes the money: what happens after a good confirmation or a passed authentication. */
export function chargeIntent(
  world: World,
  intent: PaymentIntent,
  method: PaymentMethod,
  cause: Cause,
  how: { readonly authenticated: boolean } = { authenticated: false },
): PaymentIntent {
  if (how.authenticated && intent.setup_future_usage === 'off_session') rememberAuthentication(world, method);
  const charged = takeOrHold(world, intent, method, cause, how);
  saveForLater(world, charged, method, cause);
  return charged;
}

function takeOrHold(
  world: World,
  intent: PaymentIntent,
  method: PaymentMethod,
  cause: Cause,
  how: { readonly authenticated: boolean },
): PaymentIntent {
  const manual = intent.capture_method === 'manual';
  const charge = recordCharge(world, intent, method, { captured: !manual, ...how });
  const charged = { ...intent, latest_charge: charge.id, next_action: null };
  if (manual) {
    world.scheduler.schedule(world.settings.authorizationSeconds * 1000, { kind: EXPIRE_AUTHORIZATION, id: intent.id });
    return applyOutcome(world, 'authorized', { ...charged, amount_capturable: intent.amount }, cause);
  }
  settle(world, charge, intent.capture_method, cause);
  return applyOutcome(world, 'succeeded', { ...charged, amount_received: intent.amount }, cause);
}

/** A debit for later payments too needs a permission for good. */
function mandateUse({ amount, currency, setup_future_usage: later }: PaymentIntent): MandateUse {
  return later === null ? { amount, currency } : 'multi_use';
}

/** Confirmation with redirects allowed needs somewhere to return to. */
export function checkReturnUrl(intent: PaymentIntent, params: Params): void {
  const redirects = intent.automatic_payment_methods?.enabled === true && intent.automatic_payment_methods.allow_redirects !== 'never';
  if (redirects && typeof params['return_url'] !== 'string') throw invalidParam(RETURN_URL_NEEDED);
}

function decline(world: World, intent: PaymentIntent, method: PaymentMethod, reason: Decline, cause: Cause): never {
  const charge = recordCharge(world, intent, method, { decline: reason });
  const error = {
    type: 'card_error',
    code: reason.code,
    decline_code: reason.declineCode,
    doc_url: `https://stripe.com/docs/error-codes/${reason.code.replaceAll('_', '-')}`,
    message: reason.message,
    charge: charge.id,
    payment_method: method,
    ...(reason.blocked ? {} : { advice_code: 'try_again_later', network_decline_code: '01' }),
  } as const;
  const failed = applyOutcome(
    world,
    'declined',
    { ...intent, payment_method: null, latest_charge: charge.id, last_payment_error: error },
    cause,
  );
  throw new StripeError(402, { ...error, payment_intent: failed });
}

function requireAction(world: World, intent: PaymentIntent, returnUrl: string | undefined, cause: Cause): PaymentIntent {
  const url = `${world.baseUrl}/__3ds/${intent.id}`;
  const nextAction =
    returnUrl === undefined
      ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
      : { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } };
  return applyOutcome(world, 'action_required', { ...intent, next_action: nextAction }, cause);
}

const MISSING_METHOD =
  "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.";
const RETURN_URL_NEEDED =
  "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.";
