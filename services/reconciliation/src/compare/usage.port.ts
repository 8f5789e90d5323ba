import type { BilledComparison, BilledUsage } from '@tidegate/contracts/rpc/billed-usage';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import type { Patience } from './patient-stripe.js';

/** A run that is told when to stop, and tells that it is still at work. */
export type Pass = Pick<Patience, 'stopping' | 'alive'>;

/** Unix seconds, `gte` <= t < `lt`; whole hours are compared that begin in it. */
interface Span {
  gte: number;
  lt: number;
}

export interface UsageQuery {
  /** Null: of every tenant. */
  tenant: string | null;
  period: Span;
  /** Where the page before ended; null for the first. */
  cursor: string | null;
  /** Also hours of before that no comparison has confirmed. */
  unconfirmedToo: boolean;
}

/** An hour of a customer's usage of which Stripe counts something else than payments does, in their words. */
export interface UsageDifference {
  tenant: string;
  customer: string;
  meter: string;
  /** Its beginning, RFC 3339. */
  hour: string;
  local: string;
  remote: string | null;
  reason: string;
  repairable: boolean;
}

export interface UsagePage {
  /** Hours that were looked at. */
  compared: number;
  differences: UsageDifference[];
  /** Null: this was the last page. */
  next_cursor: string | null;
}

export type BilledFound = Pick<BilledComparison, 'compared' | 'differences' | 'not_compared'>;

/**
 * Payments compares its counters of usage with Stripe's summaries, because only it knows which reports are still under way. A page is `refused` when Stripe gave payments
 * no answer. Throws RpcUnavailable, RpcTimeout or RpcFailed when payments gave none in spite of patience.
 */
export interface UsageComparer {
  page(query: UsageQuery, pass: Pass): Promise<StripeOutcome<UsagePage>>;
  /** One hour again; null when both agree, or what differs is still under way. */
  hour(counter: { customer: string; meter: string; hour: string }, pass: Pass): Promise<StripeOutcome<UsageDifference | null>>;
  /** What invoices bill, however much, beside what Stripe took of it. */
  billed(billed: readonly BilledUsage[], pass: Pass): Promise<StripeOutcome<BilledFound>>;
}
