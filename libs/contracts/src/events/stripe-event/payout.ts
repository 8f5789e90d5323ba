import { z } from 'zod';
import { amount, commonFields, seconds, stripeContracts, StripeFailureDetails, text } from './common.js';

export const PAYOUT_TYPES = [
  'payout.created',
  'payout.updated',
  'payout.paid',
  'payout.failed',
  'payout.canceled',
  'payout.reconciliation_completed',
] as const;

/** A payout that is `paid` may fail up to five business days later. `arrival_date` in epoch seconds. */
export const PayoutObject = z.object({
  object: z.literal('payout'),
  ...commonFields,
  amount: amount,
  currency: text,
  automatic: z.boolean(),
  method: text,
  arrival_date: seconds,
  balance_transaction: text,
  reconciliation_status: text,
  failure: StripeFailureDetails.nullable(),
});
export type PayoutObject = z.infer<typeof PayoutObject>;

export const payoutEvents = stripeContracts({
  types: PAYOUT_TYPES,
  object: PayoutObject,
  example: {
    object: 'payout' as const,
    id: 'po_3Example',
    status: 'paid',
    created: 1795240700,
    payment_intent: null,
    customer: null,
    metadata: {},
    amount: 125000,
    currency: 'usd',
    automatic: true,
    method: 'standard',
    arrival_date: 1795413500,
    balance_transaction: 'txn_3ExamplePayout',
    reconciliation_status: 'completed',
    failure: null,
  },
  doc: (type) => `Stripe said ${type} of a payout: money on its way to the bank account.`,
});
