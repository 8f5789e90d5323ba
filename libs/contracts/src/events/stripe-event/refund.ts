import { z } from 'zod';
import { amount, commonFields, since, stripeContracts, StripeFailureDetails, text } from './common.js';

export const REFUND_TYPES = ['refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated'] as const;

/** A refund that succeeded may fail days later. */
export const RefundObject = z.object({
  object: z.literal('refund'),
  ...commonFields,
  charge: text,
  amount: amount,
  currency: text,
  reason: since(text),
  balance_transaction: since(text),
  failure: StripeFailureDetails.nullable(),
});
export type RefundObject = z.infer<typeof RefundObject>;

export const refundEvents = stripeContracts({
  types: REFUND_TYPES,
  object: RefundObject,
  example: {
    object: 'refund' as const,
    id: 're_3Example',
    status: 'succeeded',
    created: 1795240900,
    payment_intent: 'pi_3Example',
    customer: null,
    metadata: { payment_id: 'pay_4f1c2b7a9d3e5f60', tenant_id: 'default', refund_id: 'rfd_4f1c2b7a9d3e5f60' },
    charge: 'ch_3Example',
    amount: 1000,
    currency: 'usd',
    reason: 'requested_by_customer',
    balance_transaction: 'txn_3ExampleRefund',
    failure: null,
  },
  doc: (type) => `Stripe said ${type} of a refund.`,
});
