import { mustExistCustomer } from '../customers/find.js';
import { mustBeMailAddress } from '../customers/mail-address.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { checkedAmount, checkedCurrency } from '../money/amounts.js';
import { allowedTypes, mustBeAllowed } from '../payment-methods/allowed-types.js';
import { automaticMethods } from '../payment-methods/return-url.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { submit } from './confirm.js';
import { type CaptureMethod, type PaymentIntent } from './payment-intent.js';
import { prepareConfirmation } from './prepare.js';

const ONLY_WITH_CONFIRM = ['return_url', 'off_session', 'error_on_requires_action', 'mandate', 'mandate_data'];

/** `POST /v1/payment_intents`; with `confirm=true` creation and confirmation are one request. */
export function createIntent(world: World, { params, cause }: Call): PaymentIntent {
  const intent = newIntent(world, params);
  if (params['confirm'] !== true) {
    const early = ONLY_WITH_CONFIRM.find((name) => params[name] !== undefined);
    if (early !== undefined)
      throw invalidParam(`You may only specify \`${early}\` when creating a PaymentIntent with confirm=true.`, early);
  }
  const confirmation =
    params['confirm'] === true ? prepareConfirmation(world, intent, { ...params, payment_method: undefined }) : undefined;
  const created = applyOutcome(world, intent.payment_method === null ? 'created' : 'created_with_method', intent, cause);
  return confirmation === undefined ? created : submit(world, confirmation, cause);
}

function newIntent(world: World, params: Params): PaymentIntent {
  const currency = checkedCurrency(params['currency'] as string);
  const amount = checkedAmount(params['amount'] as number, currency);
  mustBeMailAddress(params, 'receipt_email');
  const automatic = automaticMethods(params);
  const customer = params['customer'] as string | undefined;
  if (customer !== undefined) mustExistCustomer(world, customer);
  const method = params['payment_method'] as string | undefined;
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | undefined);
  const captureMethod = (params['capture_method'] as CaptureMethod | undefined) ?? 'automatic_async';
  const types = allowedTypes(params, { currency, captureMethod, automatic: automatic !== null });
  const paymentMethod = method === undefined ? null : usablePaymentMethod(world, method, customer);
  if (paymentMethod !== null) mustBeAllowed(paymentMethod, types, 'PaymentIntent');
  const id = world.ids.next('pi');
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: (params['allowed_payment_method_types'] as string[] | undefined) ?? null,
    amount,
    amount_capturable: 0,
    amount_details: {},
    amount_received: 0,
    application: null,
    application_fee_amount: (params['application_fee_amount'] as number | undefined) ?? null,
    automatic_payment_methods: automatic,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: captureMethod,
    client_secret: `${id}_secret_${world.ids.text(25)}`,
    confirmation_method: (params['confirmation_method'] as string | undefined) ?? 'automatic',
    created: world.clock.nowSeconds(),
    currency,
    customer: customer ?? null,
    customer_account: null,
    description: text(params['description']),
    excluded_payment_method_types: (params['excluded_payment_method_types'] as string[] | undefined) ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: paymentMethod?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: METHOD_OPTIONS,
    payment_method_types: types,
    payment_record: null,
    processing: null,
    receipt_email: text(params['receipt_email']),
    review: null,
    setup_future_usage: text(params['setup_future_usage']),
    shipping: shownAs('payment_intent', 'shipping', params['shipping']),
    source: null,
    statement_descriptor: text(params['statement_descriptor']),
    statement_descriptor_suffix: text(params['statement_descriptor_suffix']),
    status: 'requires_payment_method',
    transfer_group: text(params['transfer_group']),
  };
}

const METHOD_OPTIONS = { card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' } };

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
