import { z } from 'zod';

export const PAYMENT_STATUSES = [
  'queued',
  'requires_payment_method',
  'requires_action',
  'processing',
  'authorized',
  'succeeded',
  'canceled',
  'failed',
  'unknown',
] as const;
export const PaymentStatus = z.enum(PAYMENT_STATUSES);
export type PaymentStatus = z.infer<typeof PaymentStatus>;

export const RefundStatus = z.enum(['pending', 'succeeded', 'failed', 'unknown']);
export type RefundStatus = z.infer<typeof RefundStatus>;

export const RefundSnapshot = z.object({
  id: z.string(),
  status: RefundStatus,
  amount: z.int().positive(),
  reason: z.string().nullable(),
  stripe_refund: z.string().nullable(),
});
export type RefundSnapshot = z.infer<typeof RefundSnapshot>;

export const DISPUTE_STATUSES = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'appeal_needs_response',
  'appeal_under_review',
  'prevented',
  'won',
  'lost',
] as const;
/** Stripe's words; `warning_*` is an inquiry, which moves no money, all others a chargeback. `won` and `lost` are final. */
export const DisputeStatus = z.enum(DISPUTE_STATUSES);
export type DisputeStatus = z.infer<typeof DisputeStatus>;

/**
 * What the balance was told: totals in minor units of `currency`, the account's, which may be another than the payment's. Null while nothing has moved. `fee`
 * is what Stripe has kept.
 */
export const DisputeFunds = z.object({
  currency: z.string(),
  withdrawn: z.int().nonnegative(),
  reinstated: z.int().nonnegative(),
  fee: z.int(),
});
export type DisputeFunds = z.infer<typeof DisputeFunds>;

/** One dispute of a payment. `id` is Stripe's; `amount` in minor units of `currency`; `respond_by` is the last moment for evidence. */
export const DisputeSnapshot = z.object({
  id: z.string(),
  status: DisputeStatus,
  amount: z.int().nonnegative(),
  currency: z.string(),
  reason: z.string().nullable(),
  charge: z.string().nullable(),
  respond_by: z.iso.datetime().nullable(),
  funds: DisputeFunds.nullable(),
  created_at: z.iso.datetime(),
});
export type DisputeSnapshot = z.infer<typeof DisputeSnapshot>;

export const exampleDispute: DisputeSnapshot = {
  id: 'du_1Example',
  status: 'needs_response',
  amount: 4200,
  currency: 'usd',
  reason: 'fraudulent',
  charge: 'ch_3Example',
  respond_by: '2026-12-01T23:59:59.000Z',
  funds: { currency: 'usd', withdrawn: 4200, reinstated: 0, fee: 1500 },
  created_at: '2026-11-21T06:00:00.000Z',
};

/** A payment as published: amounts in minor units of `currency` (lower case). Carries no personal data and no client_secret. */
export const PaymentSnapshot = z.object({
  payment_id: z.string(),
  status: PaymentStatus,
  amount: z.int().positive(),
  amount_captured: z.int().nonnegative(),
  amount_refunded: z.int().nonnegative(),
  currency: z.string(),
  capture_method: z.enum(['automatic', 'manual']),
  stripe_payment_intent: z.string().nullable(),
  stripe_charge: z.string().nullable(),
  card: z.object({ brand: z.string(), last4: z.string() }).nullable(),
  failure: z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() }).nullable(),
  /** Why a canceled payment was canceled, where that is known; absent in events from before it was told. */
  cancellation_reason: z.string().nullable().optional(),
  refunds: z.array(RefundSnapshot),
  disputes: z.array(DisputeSnapshot).default([]),
  origin: z.enum(['api', 'checkout', 'subscription', 'dashboard']),
  livemode: z.boolean(),
  created_at: z.iso.datetime(),
  /** When the payer paid, by Stripe's clock where Stripe tells it, else when that was recorded; null before. Absent in events from before it was told. */
  paid_at: z.iso.datetime().nullable().optional(),
  updated_at: z.iso.datetime(),
});
export type PaymentSnapshot = z.infer<typeof PaymentSnapshot>;

export const examplePaymentSnapshot: PaymentSnapshot = {
  payment_id: 'pay_4f1c2b7a9d3e5f60',
  status: 'succeeded',
  amount: 4200,
  amount_captured: 4200,
  amount_refunded: 0,
  currency: 'usd',
  capture_method: 'automatic',
  stripe_payment_intent: 'pi_3Example',
  stripe_charge: 'ch_3Example',
  card: { brand: 'visa', last4: '4242' },
  failure: null,
  cancellation_reason: null,
  refunds: [],
  disputes: [],
  origin: 'api',
  livemode: false,
  created_at: '2026-11-21T06:00:00.000Z',
  paid_at: '2026-11-21T06:00:01.000Z',
  updated_at: '2026-11-21T06:00:01.000Z',
};
