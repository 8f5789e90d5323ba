import { z } from 'zod';

/**
 * Asks payments to compare its counters of usage with Stripe's summaries: `payments.rpc.usage.compare.v1`, body of a RouteRequest. Whole hours from `from` (inclusive)
 * to `to` (exclusive); ask again with `next_cursor` until it is null. 503: Stripe gave no answer; ask the same page again.
 */
export const CompareUsageBody = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  cursor: z.string().nullish(),
  /** Only this tenant's customers; absent: everybody's. */
  tenant: z.string().optional(),
  /** Only this customer's usage of this meter. */
  counter: z.object({ customer: z.string(), meter: z.string() }).optional(),
  /** Hours from here to `from`, too, where no comparison has confirmed what they hold: usage may come weeks late. */
  unconfirmed_from: z.iso.datetime().optional(),
});
export type CompareUsageBody = z.infer<typeof CompareUsageBody>;

/** An hour in which Stripe counts something else than we do, and nothing that is still under way explains it: class `usage_mismatch`. */
export const UsageDifference = z.object({
  tenant: z.string(),
  customer: z.string(),
  meter: z.string(),
  hour: z.iso.datetime(),
  stripe_meter: z.string().nullable(),
  /** What our events add up to, decimal text. */
  local: z.string(),
  /** What Stripe is known to have taken of it. */
  sent: z.string(),
  /** What Stripe counts; null when it does not know the customer. */
  remote: z.string().nullable(),
  /**
   * `expired`: some of it was too old for Stripe before it could be reported, and never will be billed. `not_ours`: nothing of it is ours. `beyond_repair`: Stripe counts
   * single events that it has no way to take back, or has the latest of an hour from somebody else.
   */
  reason: z.enum(['stripe_differs', 'expired', 'not_ours', 'beyond_repair']),
  /** Whether `payments.rpc.usage.repair.v1` can have the difference reported. */
  repairable: z.boolean(),
});
export type UsageDifference = z.infer<typeof UsageDifference>;

export const UsageComparison = z.object({
  object: z.literal('usage_comparison'),
  /** Hours of this page. */
  compared: z.int(),
  agreeing: z.int(),
  /** Hours of which something is not reported yet, or was so lately that Stripe's summaries need not show it. */
  pending: z.int(),
  differences: z.array(UsageDifference),
  next_cursor: z.string().nullable(),
});
export type UsageComparison = z.infer<typeof UsageComparison>;
