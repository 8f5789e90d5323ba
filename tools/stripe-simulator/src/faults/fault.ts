/** Faults that meet an API request. */
export const HTTP_FAULTS = [
  'refuse',
  'hang',
  'slow',
  'late_effect',
  'reset_before',
  'reset_after',
  'cut_body',
  'error_500_before',
  'error_500_after',
  'error_500_late',
  'error_502_html',
  'error_503',
  'rate_limit',
  'lock_timeout',
  'auth_expired',
  'forbidden',
  'key_in_use',
  'list_lag',
] as const;

/** Faults that meet the delivery of an event. */
export const WEBHOOK_FAULTS = [
  'webhook_drop',
  'webhook_duplicate',
  'webhook_delay',
  'webhook_reorder',
  'webhook_two_events',
  'webhook_bad_signature',
  'webhook_two_signatures',
  'webhook_skew',
  'webhook_disable',
  'event_unlisted',
] as const;

/** Faults that change what Stripe does later. */
export const LATE_FAULTS = ['late_balance', 'late_failure', 'late_dispute'] as const;

export type HttpFault = (typeof HTTP_FAULTS)[number];
export type WebhookFault = (typeof WEBHOOK_FAULTS)[number];
export type LateFault = (typeof LATE_FAULTS)[number];
export type FaultName = HttpFault | WebhookFault | LateFault;

/** What to do to which requests or events. Without `route` or `event_type` it meets all. */
export interface FaultSpec {
  readonly fault: FaultName;
  /** `POST /v1/payment_intents/:id/confirm`; the method may be left out, `*` stands for any rest. */
  readonly route?: string;
  /** For webhook faults: a type or a pattern such as `charge.*`. */
  readonly event_type?: string;
  /** The first match that is hit, counted from 1. */
  readonly nth?: number;
  /** How many matches are hit. 1 by default; unlimited when `probability` or `duration_ms` is given, or when 0. */
  readonly times?: number;
  readonly probability?: number;
  readonly seed?: number;
  /** Length of a wait; what it means depends on the fault. */
  readonly ms?: number;
  /** The fault ends by itself after this wall time. */
  readonly duration_ms?: number;
  /** webhook_duplicate: deliveries beyond the first (1). */
  readonly copies?: number;
  /** rate_limit: the value of `Stripe-Rate-Limited-Reason`. */
  readonly reason?: string;
  /** For the error answers: sends `Stripe-Should-Retry`. */
  readonly should_retry?: boolean;
}

/** A fault in force with its counters. */
export interface ActiveFault extends FaultSpec {
  readonly id: string;
  readonly matched: number;
  readonly hits: number;
  /** Whether it is over: it has hit as often as it should, or its time has passed. */
  readonly spent: boolean;
}
