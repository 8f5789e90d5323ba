import { z } from 'zod';
import { amount, commonFields, StripeCard, stripeContracts, StripeFailureDetails, text } from './common.js';

export const PAYMENT_INTENT_TYPES = [
  'payment_intent.created',
  'payment_intent.requires_action',
  'payment_intent.processing',
  'payment_intent.amount_capturable_updated',
  'payment_intent.partially_funded',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
] as const;

/** `charge` is its latest; `card` is known only when the object was retrieved. */
export const PaymentIntentObject = z.object({
  object: z.literal('payment_intent'),
  ...commonFields,
  charge: text,
  amount: amount,
  amount_captured: amount,
  amount_capturable: amount,
  currency: text,
  capture_method: text,
  cancellation_reason: text,
  failure: StripeFailureDetails.nullable(),
  card: StripeCard.nullable(),
});
export type PaymentIntentObject = z.infer<typeof PaymentIntentObject>;

export const examplePaymentIntent: PaymentIntentObject = {
  object: 'payment_intent',
  id: 'pi_3Example',
  status: 'succeeded',
  created: 1795240799,
  payment_intent: 'pi_3Example',
  customer: null,
  metadata: { payment_id: 'pay_4f1c2b7a9d3e5f60', tenant_id: 'default' },
  charge: 'ch_3Example',
  amount: 4200,
  amount_captured: 4200,
  amount_capturable: 0,
  currency: 'usd',
  capture_method: 'automatic_async',
  cancellation_reason: null,
  failure: null,
  card: null,
};

export const paymentIntentEvents = stripeContracts({
  types: PAYMENT_INTENT_TYPES,
  object: PaymentIntentObject,
  example: examplePaymentIntent,
  doc: (type) => `Stripe said ${type} of a PaymentIntent.`,
});
