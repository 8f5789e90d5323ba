import { z } from 'zod';
import { defineEvent } from '../envelope.js';

/**
 * What only a dispute has. `movements` counts its balance transactions, which are only ever added; the totals over them are in minor units of `currency`,
 * null before the first. `due_by` in epoch seconds.
 */
export const NormalizedDispute = z.object({
  reason: z.string().nullable(),
  due_by: z.int().nullable(),
  movements: z.int().nonnegative(),
  currency: z.string().nullable(),
  withdrawn: z.int().nonnegative(),
  reinstated: z.int().nonnegative(),
  fee: z.int(),
});
export type NormalizedDispute = z.infer<typeof NormalizedDispute>;

/**
 * A Stripe event in our words. `object` is what all Stripe objects of interest have in common plus the money fields; amounts in
 * minor units. Delivered snapshots state the truth at `created` (whole seconds); swept and thin ones are only hints.
 */
export const NormalizedStripeEvent = z.object({
  stripe_event_id: z.string(),
  type: z.string(),
  created: z.int(),
  livemode: z.boolean(),
  api_version: z.string().nullable(),
  hint: z.boolean(),
  replay: z.boolean(),
  request_idempotency_key: z.string().nullable(),
  object: z.object({
    object: z.string(),
    id: z.string(),
    status: z.string().nullable(),
    created: z.int().nullable(),
    payment_intent: z.string().nullable(),
    charge: z.string().nullable(),
    customer: z.string().nullable(),
    amount: z.int().nullable(),
    amount_captured: z.int().nullable(),
    amount_capturable: z.int().nullable(),
    amount_refunded: z.int().nullable(),
    currency: z.string().nullable(),
    capture_method: z.string().nullable(),
    cancellation_reason: z.string().nullable(),
    failure: z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() }).nullable(),
    card: z.object({ brand: z.string(), last4: z.string() }).nullable(),
    metadata: z.record(z.string(), z.string()),
    /** Of disputes only. */
    dispute: NormalizedDispute.nullish(),
    /** Of Checkout Sessions only. */
    payment_status: z.string().nullable().optional(),
  }),
});
export type NormalizedStripeEvent = z.infer<typeof NormalizedStripeEvent>;

export const exampleStripeEvent: NormalizedStripeEvent = {
  stripe_event_id: 'evt_1Example',
  type: 'payment_intent.succeeded',
  created: 1795240800,
  livemode: false,
  api_version: '2026-10-28.endive',
  hint: false,
  replay: false,
  request_idempotency_key: null,
  object: {
    object: 'payment_intent',
    id: 'pi_3Example',
    status: 'succeeded',
    created: 1795240799,
    payment_intent: 'pi_3Example',
    charge: 'ch_3Example',
    customer: null,
    amount: 4200,
    amount_captured: 4200,
    amount_capturable: 0,
    amount_refunded: null,
    currency: 'usd',
    capture_method: 'automatic_async',
    cancellation_reason: null,
    failure: null,
    card: null,
    metadata: { payment_id: 'pay_4f1c2b7a9d3e5f60', tenant_id: 'default' },
  },
};

/** Stripe types with a subject of their own; all others travel on `stripe.events.other.v1`. */
export const STRIPE_TYPES = [
  'payment_intent.created',
  'payment_intent.requires_action',
  'payment_intent.processing',
  'payment_intent.amount_capturable_updated',
  'payment_intent.succeeded',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'charge.succeeded',
  'charge.failed',
  'charge.pending',
  'charge.captured',
  'charge.updated',
  'charge.refunded',
  'charge.expired',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
  'charge.dispute.closed',
  'checkout.session.completed',
  'checkout.session.expired',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
] as const;

export const OTHER_STRIPE_SUBJECT = 'stripe.events.other.v1';

/** `payment_intent.succeeded` -> `stripe.events.payment_intent.succeeded.v1`. */
export const stripeSubject = (type: string): string =>
  (STRIPE_TYPES as readonly string[]).includes(type) ? `stripe.events.${type}.v1` : OTHER_STRIPE_SUBJECT;

export const stripeEvents = [...STRIPE_TYPES, 'other'].map((type) =>
  defineEvent({
    subject: type === 'other' ? OTHER_STRIPE_SUBJECT : stripeSubject(type),
    version: 1,
    doc: type === 'other' ? 'Any Stripe event without a subject of its own.' : `Stripe said ${type}.`,
    data: NormalizedStripeEvent,
    example: { ...exampleStripeEvent, type: type === 'other' ? 'product.created' : type },
  }),
);
