import { z } from 'zod';
import { amount, commonFields, seconds, stripeContracts, text } from './common.js';

export const DISPUTE_TYPES = [
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'charge.dispute.closed',
] as const;

/**
 * What only a dispute has. `movements` counts its balance transactions, which are only ever added; the totals over them are in minor units of `currency`,
 * null before the first. `due_by` in epoch seconds.
 */
export const NormalizedDispute = z.object({
  reason: text,
  due_by: seconds,
  movements: z.int().nonnegative(),
  currency: text,
  withdrawn: z.int().nonnegative(),
  reinstated: z.int().nonnegative(),
  fee: z.int(),
});
export type NormalizedDispute = z.infer<typeof NormalizedDispute>;

/** `amount` is what is disputed, which need not be all of the charge. */
export const DisputeObject = z.object({
  object: z.literal('dispute'),
  ...commonFields,
  charge: text,
  amount: amount,
  currency: text,
  dispute: NormalizedDispute,
});
export type DisputeObject = z.infer<typeof DisputeObject>;

export const disputeEvents = stripeContracts({
  types: DISPUTE_TYPES,
  object: DisputeObject,
  example: {
    object: 'dispute' as const,
    id: 'du_3Example',
    status: 'needs_response',
    created: 1795241000,
    payment_intent: 'pi_3Example',
    customer: null,
    metadata: {},
    charge: 'ch_3Example',
    amount: 4200,
    currency: 'usd',
    dispute: { reason: 'fraudulent', due_by: 1796000000, movements: 1, currency: 'usd', withdrawn: 4200, reinstated: 0, fee: 1500 },
  },
  doc: (type) => `Stripe said ${type} of a dispute: an inquiry or a chargeback.`,
});
