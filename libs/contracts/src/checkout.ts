import { z } from 'zod';

export const CheckoutStatus = z.enum(['open', 'complete', 'expired']);
export type CheckoutStatus = z.infer<typeof CheckoutStatus>;

/** `awaited`: a delayed method is on its way. `none`: nothing was to be paid. */
export const CheckoutPaymentStatus = z.enum(['unpaid', 'awaited', 'paid', 'failed', 'none']);
export type CheckoutPaymentStatus = z.infer<typeof CheckoutPaymentStatus>;

/** What became of a success after the end of the local window; null when it was in time. `held` waits for a person. */
export const LateSuccess = z.enum(['accepted', 'held', 'refunding', 'refunded']);
export type LateSuccess = z.infer<typeof LateSuccess>;

/** A checkout as published: amounts in minor units of `currency` (lower case). Carries no personal data and no address of the page. */
export const CheckoutSnapshot = z.object({
  checkout_id: z.string(),
  status: CheckoutStatus,
  payment_id: z.string().nullable(),
  payment_status: CheckoutPaymentStatus,
  late_success: LateSuccess.nullable(),
  amount: z.int().positive(),
  currency: z.string(),
  customer: z.string().nullable(),
  stripe_checkout_session: z.string().nullable(),
  stripe_payment_intent: z.string().nullable(),
  window_ends_at: z.iso.datetime(),
  livemode: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type CheckoutSnapshot = z.infer<typeof CheckoutSnapshot>;

export const exampleCheckoutSnapshot: CheckoutSnapshot = {
  checkout_id: 'cks_4f1c2b7a9d3e5f60',
  status: 'complete',
  payment_id: 'pay_4f1c2b7a9d3e5f60',
  payment_status: 'paid',
  late_success: null,
  amount: 4200,
  currency: 'usd',
  customer: null,
  stripe_checkout_session: 'cs_test_Example',
  stripe_payment_intent: 'pi_3Example',
  window_ends_at: '2026-11-22T05:00:00.000Z',
  livemode: false,
  created_at: '2026-11-21T06:00:00.000Z',
  updated_at: '2026-11-21T06:05:00.000Z',
};
