import { z } from 'zod';

/** Most lines of one request, so that it and its answer fit in a message of the broker. */
export const MOST_BILLED = 500;

/** What a final invoice bills for one price and one period, in one line or several (tiers). Times in epoch seconds. */
export const BilledUsage = z.object({
  invoice: z.string(),
  customer: z.string(),
  subscription: z.string().nullable(),
  price: z.string(),
  /** Start inclusive, end exclusive. */
  start: z.int(),
  end: z.int(),
  finalized_at: z.int(),
  /** Of each line, decimal text; null: it had none. */
  quantities: z.array(z.string().max(60).nullable()).min(1),
  /** Units that somebody says were billed otherwise, below zero for those given back: what the invoice's metadata has under `settledKey`. */
  settled: z.string().max(500).nullable(),
});
export type BilledUsage = z.infer<typeof BilledUsage>;

/** Where a person writes on an invoice at Stripe how many units of a price he has billed otherwise, so that a run says it no more. */
export const settledKey = (price: string): string => `usage_${price}`;

/**
 * Asks payments to lay what invoices bill beside what Stripe took from it: `payments.rpc.usage.compare_invoices.v1`, body of a RouteRequest. What is not of a meter's
 * price is passed over. All that an invoice bills is asked for together. 503: Stripe gave no answer; ask again.
 */
export const CompareInvoicesBody = z.object({ billed: z.array(BilledUsage).min(1).max(MOST_BILLED) });
export type CompareInvoicesBody = z.infer<typeof CompareInvoicesBody>;

/** Why nothing can be said of what an invoice bills without guessing. */
export const NOT_COMPARED = [
  /** The price divides and rounds quantities. */
  'transforms',
  /** A tier of the price costs something whatever is used: how lines show that is not known. */
  'flat_tiers',
  /** Stripe does not know the price any more. */
  'price_unknown',
  /** We report to no meter of that id. */
  'meter_unknown',
  /** The meter takes the latest, or has a formula that this version does not know. */
  'formula',
  /** The invoice was final before the period was over. */
  'period_open',
  /** A line without a quantity, or with one that is no decimal. */
  'quantity_missing',
  /** Nothing of the customer's usage of the meter is ours. */
  'not_ours',
  /** The period began in a trial. */
  'trial',
  /** The subscription bills parts of a period before its end. */
  'thresholds',
  /** The invoice bills the same usage of the subscription by another price, too, as after a change within the period: which of them bills what is not known. */
  'overlaps',
  /** Stripe does not know the subscription, or tells nothing of the customer's usage. */
  'unknown_to_stripe',
  /** Stripe counts hours of the period otherwise, which is named by the hour: others report, too, or something was lost. */
  'hours_differ',
  /** An hour in which the period begins or ends was put right by its sum: on which side of the second that was is not known. */
  'border_corrected',
] as const;
export const NotComparedReason = z.enum(NOT_COMPARED);
export type NotComparedReason = z.infer<typeof NotComparedReason>;

/** What was billed is not what Stripe took from us for the customer, the meter and the period: class `usage_mismatch`. Decimal text. */
export const BilledDifference = BilledUsage.omit({ quantities: true, settled: true }).extend({
  tenant: z.string(),
  /** The meter's event name. */
  meter: z.string(),
  /** What Stripe took with timestamps of the period. */
  local: z.string(),
  /** What of it was certainly taken after the invoice was final, and is on none. */
  late: z.string(),
  /** What the invoice bills. */
  remote: z.string(),
  /** What was billed otherwise, as somebody says. */
  settled: z.string(),
  /**
   * `late`: what is missing came after the invoice was final, and `beside_others` that others report the same usage, so that nothing can be said of the rest. `billed_differs`:
   * what had come by then does not explain the invoice.
   */
  reason: z.enum(['late', 'late_beside_others', 'billed_differs']),
});
export type BilledDifference = z.infer<typeof BilledDifference>;

export const BilledComparison = z.object({
  object: z.literal('billed_usage_comparison'),
  /** How many of the request were looked at, from its beginning; ask again for the rest. */
  looked_at: z.int(),
  /** Those among them that bill usage of a meter. */
  compared: z.int(),
  agreeing: z.int(),
  /** A report of the period has no certain answer, usage of it waits for its report, or Stripe's summaries need not show the last one: not yet. */
  pending: z.int(),
  differences: z.array(BilledDifference),
  not_compared: z.array(BilledUsage.pick({ invoice: true, price: true, start: true, end: true }).extend({ reason: NotComparedReason })),
});
export type BilledComparison = z.infer<typeof BilledComparison>;
