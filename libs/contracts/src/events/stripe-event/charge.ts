import { z } from 'zod';
import { amount, commonFields, flag, since, StripeCard, stripeContracts, StripeFailureDetails, text } from './common.js';

export const CHARGE_TYPES = [
  'charge.succeeded',
  'charge.failed',
  'charge.pending',
  'charge.captured',
  'charge.updated',
  'charge.refunded',
  'charge.expired',
] as const;

/** `charge` is its own id. `amount_refunded` counts what a partial capture released, too, and shrinks when a refund fails. `balance_transaction` comes late. */
export const ChargeObject = z.object({
  object: z.literal('charge'),
  ...commonFields,
  charge: text,
  amount: amount,
  amount_captured: amount,
  amount_refunded: amount,
  currency: text,
  captured: since(flag),
  disputed: since(flag),
  balance_transaction: since(text),
  failure: StripeFailureDetails.nullable(),
  card: StripeCard.nullable(),
});
export type ChargeObject = z.infer<typeof ChargeObject>;

export const chargeEvents = stripeContracts({
  types: CHARGE_TYPES,
  object: ChargeObject,
  example: {
    object: 'charge' as const,
    id: 'ch_3Example',
    status: 'succeeded',
    created: 1795240799,
    payment_intent: 'pi_3Example',
    customer: null,
    metadata: { payment_id: 'pay_4f1c2b7a9d3e5f60', tenant_id: 'default' },
    charge: 'ch_3Example',
    amount: 4200,
    amount_captured: 4200,
    amount_refunded: 0,
    currency: 'usd',
    captured: true,
    disputed: false,
    balance_transaction: 'txn_3Example',
    failure: null,
    card: { brand: 'visa', last4: '4242' },
  },
  doc: (type) => `Stripe said ${type} of a charge: one attempt to pay a PaymentIntent.`,
});
