import { type Call } from '../http/call.js';
import { StripeError, invalidParam } from '../http/errors.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { schema } from '../schema/schema.js';
import { type World } from '../world.js';
import { type PaymentMethod } from './payment-method.js';
import { testCard } from './test-cards.js';
import { validIban } from './iban.js';
import { cardMethod, sepaMethod } from './new.js';

const SUPPORTED = ['type', 'card', 'sepa_debit', 'billing_details', 'metadata', 'allow_redisplay', 'expand'];

/** Every other kind of payment method. */
export const UNSUPPORTED_AT_CREATION = Object.keys(schema.operations['POST /v1/payment_methods'] ?? {}).filter(
  (name) => !SUPPORTED.includes(name),
);

/** `POST /v1/payment_methods` from a test token (`card[token]=tok_visa`) or an IBAN. */
export function createPaymentMethod(world: World, { params }: Call): PaymentMethod {
  const fresh = params['type'] === 'sepa_debit' ? fromIban(world, params) : fromToken(world, params);
  const billing = { ...fresh.billing_details, ...((params['billing_details'] as object | undefined) ?? {}) };
  return world.paymentMethods.insert({
    ...fresh,
    allow_redisplay: (params['allow_redisplay'] as string | undefined) ?? fresh.allow_redisplay,
    billing_details: shownAs('payment_method', 'billing_details', billing) ?? fresh.billing_details,
    metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
  });
}

/** Raw card numbers are refused, as Stripe does by default. */
function fromToken(world: World, params: Params): PaymentMethod {
  if (params['type'] !== 'card') throw invalidParam(OTHER_TYPES, 'type');
  const { number, token } = (params['card'] ?? {}) as { number?: string; token?: string };
  if (number !== undefined) throw new StripeError(402, { type: 'card_error', message: RAW_NUMBERS }, false);
  if (token === undefined) throw invalidParam('Missing required param: card.', 'card', 'parameter_missing');
  const card = token.startsWith('tok_') ? testCard(token) : undefined;
  if (card === undefined) throw invalidParam(`No such token: '${token}'`, 'card[token]', 'resource_missing');
  return cardMethod(world, world.ids.next('pm'), card);
}

/** The holder's name and address for notices must be known (https://docs.stripe.com/payments/sepa-debit). */
function fromIban(world: World, params: Params): PaymentMethod {
  const { iban } = (params['sepa_debit'] ?? {}) as { iban?: string };
  const { name, email } = (params['billing_details'] ?? {}) as { name?: string; email?: string };
  if (iban === undefined) throw missing('sepa_debit[iban]');
  if (!name) throw missing('billing_details[name]');
  if (!email) throw missing('billing_details[email]');
  const valid = validIban(iban);
  if (valid === undefined) throw invalidParam('The IBAN you provided is invalid.', 'sepa_debit[iban]');
  return sepaMethod(world, world.ids.next('pm'), valid);
}

function missing(path: string): Error {
  return invalidParam(`Missing required param: ${path}.`, path, 'parameter_missing');
}

const OTHER_TYPES =
  'This simulator makes payment methods of type card and sepa_debit only; for US bank accounts use the test ids pm_usBankAccount_….';
const RAW_NUMBERS =
  'Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that map to the test card you are using, see https://stripe.com/docs/testing.';
