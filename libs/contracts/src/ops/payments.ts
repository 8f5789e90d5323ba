import { z } from 'zod';
import { PaymentStatus } from '../payment.js';
import { PaymentView, TimelineEntry } from '../responses.js';

/** A payment as an operator sees it, whoever's it is. */
export const OperatorPaymentView = PaymentView.extend({
  tenant: z.string(),
  livemode: z.boolean(),
  /** When it came into its status, and how long ago that is. */
  status_since: z.iso.datetime(),
  age_seconds: z.int(),
  /** What is still to be done for it; null when nothing is. */
  work: z
    .object({ due_at: z.iso.datetime().nullable(), waits_for: z.string().nullable(), attempt: z.int(), in_hand: z.boolean() })
    .nullable(),
});
export type OperatorPaymentView = z.infer<typeof OperatorPaymentView>;

export const OperatorPaymentDetail = OperatorPaymentView.extend({ events: z.array(TimelineEntry) });
export type OperatorPaymentDetail = z.infer<typeof OperatorPaymentDetail>;

/** Payments by the UTC hour of their creation and the status they have now, newest hour first; hours without payments are left out. */
export const PaymentStatsView = z.object({
  object: z.literal('payment_stats'),
  since: z.iso.datetime(),
  data: z.array(z.object({ hour: z.iso.datetime(), status: PaymentStatus, count: z.int() })),
});
export type PaymentStatsView = z.infer<typeof PaymentStatsView>;

/** Stripe is being asked; the payment itself tells what came of it. */
export const ResolvePaymentView = z.object({ object: z.literal('payment_resolution'), payment_id: z.string(), status: PaymentStatus });
export type ResolvePaymentView = z.infer<typeof ResolvePaymentView>;
