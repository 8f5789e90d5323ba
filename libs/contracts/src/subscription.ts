import { z } from 'zod';

/** Stripe's words: https://docs.stripe.com/api/subscriptions/object#subscription_object-status */
export const SUBSCRIPTION_STATUSES = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
  'canceled',
] as const;
export const SubscriptionStatus = z.enum(SUBSCRIPTION_STATUSES);
export type SubscriptionStatus = z.infer<typeof SubscriptionStatus>;

const time = z.iso.datetime().nullable();

/** `id` is Stripe's, by which a change names it. A metered price has no quantity. */
export const SubscriptionItem = z.object({ id: z.string(), price: z.string().nullable(), quantity: z.int().nullable() });
export type SubscriptionItem = z.infer<typeof SubscriptionItem>;

/**
 * A subscription as published, under Stripe's id: what Stripe showed when it was last asked. Its states come and go, so the newest fact is the truth. The
 * period is what is paid for, the widest of its items. `status` may be a word that Stripe has invented since.
 */
export const SubscriptionSnapshot = z.object({
  subscription_id: z.string(),
  status: z.string(),
  customer: z.string().nullable(),
  currency: z.string().nullable(),
  items: z.array(SubscriptionItem),
  current_period_start: time,
  current_period_end: time,
  trial_end: time,
  cancel_at: time,
  cancel_at_period_end: z.boolean(),
  canceled_at: time,
  cancellation_reason: z.string().nullable().describe("Stripe's: cancellation_requested, payment_failed, payment_disputed"),
  ended_at: time,
  collection_method: z.string().nullable(),
  latest_invoice: z.string().nullable(),
  /** Collection is paused; the status says nothing about it. */
  collection_paused: z.boolean(),
  livemode: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type SubscriptionSnapshot = z.infer<typeof SubscriptionSnapshot>;

export const exampleSubscriptionSnapshot: SubscriptionSnapshot = {
  subscription_id: 'sub_3Example',
  status: 'active',
  customer: 'cus_3Example',
  currency: 'usd',
  items: [{ id: 'si_3Example', price: 'price_3Example', quantity: 1 }],
  current_period_start: '2026-11-21T06:00:00.000Z',
  current_period_end: '2026-12-21T06:00:00.000Z',
  trial_end: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  cancellation_reason: null,
  ended_at: null,
  collection_method: 'charge_automatically',
  latest_invoice: 'in_3Example',
  collection_paused: false,
  livemode: false,
  created_at: '2026-11-21T06:00:00.000Z',
  updated_at: '2026-11-21T06:00:01.000Z',
};

/**
 * What an invoice waits for that is not paid as planned. `retrying`: Stripe tries again at `next_payment_attempt`; `action_required`: the customer has to
 * authenticate; `needs_payment`: nothing more happens by itself; `given_up`: marked as uncollectible.
 */
export const DUNNING_STATES = ['retrying', 'action_required', 'needs_payment', 'given_up'] as const;
export const DunningState = z.enum(DUNNING_STATES);
export type DunningState = z.infer<typeof DunningState>;

const failure = z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() });

/** Of a subscription: how its newest invoice that was not paid as planned stands. */
export const Dunning = z.object({
  state: DunningState,
  invoice: z.string(),
  amount_remaining: z.int(),
  currency: z.string(),
  attempt_count: z.int(),
  next_payment_attempt: time,
  failure: failure.nullable().describe('Of the last attempt, where one failed'),
});
export type Dunning = z.infer<typeof Dunning>;

/**
 * The subscription as REST answers it. `client_secret` only in answers to POST: to have an incomplete one paid in the payer's browser (`pi_…`), or to have a payment
 * method given for one of which nothing is to be paid yet (`seti_…`).
 */
export const SubscriptionView = SubscriptionSnapshot.omit({
  subscription_id: true,
  livemode: true,
  created_at: true,
  updated_at: true,
}).extend({
  id: z.string(),
  object: z.literal('subscription'),
  client_secret: z.string().optional(),
  dunning: Dunning.nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type SubscriptionView = z.infer<typeof SubscriptionView>;
