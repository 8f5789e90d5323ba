import { z } from 'zod';
import { commonFields, count, seconds, stripeContracts, text } from './common.js';

export const SUBSCRIPTION_TYPES = [
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.pending_update_applied',
  'customer.subscription.pending_update_expired',
  'customer.subscription.trial_will_end',
] as const;

/**
 * Its states come and go, so the object is always one that was retrieved after the event: the newest `occurred_at` is the truth. The period that is paid for
 * is that of its items (Stripe keeps it there since 2025-03), here the widest of them. Times in epoch seconds.
 */
export const SubscriptionObject = z.object({
  object: z.literal('subscription'),
  ...commonFields,
  currency: text,
  items: z.array(z.object({ id: z.string(), price: text, quantity: count })),
  current_period_start: seconds,
  current_period_end: seconds,
  collection_method: text,
  latest_invoice: text,
  trial_end: seconds,
  cancel_at: seconds,
  cancel_at_period_end: z.boolean(),
  canceled_at: seconds,
  cancellation_reason: text,
  ended_at: seconds,
  paused: z.boolean(),
});
export type SubscriptionObject = z.infer<typeof SubscriptionObject>;

export const subscriptionEvents = stripeContracts({
  types: SUBSCRIPTION_TYPES,
  object: SubscriptionObject,
  example: {
    object: 'subscription' as const,
    id: 'sub_3Example',
    status: 'active',
    created: 1795240700,
    payment_intent: null,
    customer: 'cus_3Example',
    metadata: { tenant_id: 'default' },
    currency: 'usd',
    items: [{ id: 'si_3Example', price: 'price_3Example', quantity: 1 }],
    current_period_start: 1795240700,
    current_period_end: 1797832700,
    collection_method: 'charge_automatically',
    latest_invoice: 'in_3Example',
    trial_end: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_reason: null,
    ended_at: null,
    paused: false,
  },
  hint: true,
  doc: (type) => `Stripe said ${type}; the subscription is as Stripe showed it afterwards.`,
});
