import { type Call } from '../http/call.js';
import { StripeError, invalidParam } from '../http/errors.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { schema } from '../schema/schema.js';
import { type World } from '../world.js';
import { type PaymentMethod } from './payment-method.js';
import { testCard } from './test-cards.js';
import { newPaymentMethod } from './use.js';

const SUPPORTED = ['type', 'card', 'billing_details', 'metadata', 'allow_redisplay', 'expand'];

/** Every other kind of payment method. */
export const UNSUPPORTED_AT_CREATION = Object.keys(schema.operations['POST /v1/payment_methods'] ?? {}).filter(
  (name) => !SUPPORTED.includes(name),
);

/** `POST /v1/payment_methods` from a test token (`card[token]=tok_visa`). Raw card numbers are refused, as Stripe does by default. */
export function createPaymentMethod(world: World, { params }: Call): PaymentMethod {
  if (params['type'] !== 'card') throw invalidParam('This simulator supports payment methods of type card only.', 'type');
  const { number, token } = (params['card'] ?? {}) as { number?: string; token?: string };
  if (number !== undefined) throw new StripeError(402, { type: 'card_error', message: RAW_NUMBERS }, false);
  if (token === undefined) throw invalidParam('Missing required param: card.', 'card', 'parameter_missing');
  const card = token.startsWith('tok_') ? testCard(token) : undefined;
  if (card === undefined) throw invalidParam(`No such token: '${token}'`, 'card[token]', 'resource_missing');
  const fresh = newPaymentMethod(world, world.ids.next('pm'), card);
  const billing = { ...fresh.billing_details, ...((params['billing_details'] as object | undefined) ?? {}) };
  return world.paymentMethods.insert({
    ...fresh,
    allow_redisplay: (params['allow_redisplay'] as string | undefined) ?? fresh.allow_redisplay,
    billing_details: shownAs('payment_method', 'billing_details', billing) ?? fresh.billing_details,
    metadata: mergeMetadata({}, params['metadata'] as Metadata | null | undefined),
  });
}

const RAW_NUMBERS =
  'Sending credit card numbers directly to the Stripe API is generally unsafe. We suggest you use test tokens that map to the test card you are using, see https://stripe.com/docs/testing.';
