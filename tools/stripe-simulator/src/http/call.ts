import { type Params } from '../schema/params.js';

/** Who caused a change: a request, or nobody (automatic actions). `silent` changes state without an event. */
export interface Cause {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
  readonly silent: boolean;
  /** The request as faults name it: `POST /v1/payment_intents/pi_…/confirm`. Absent for what a person or Stripe itself does. */
  readonly operation?: string;
  /** Stripe itself attempts to collect an invoice: the customer is absent, and the attempt counts. */
  readonly collection?: true;
}

/** Stripe did it by itself: events then carry null request ids. */
export const AUTOMATIC: Cause = { requestId: null, idempotencyKey: null, silent: false };

/** One request after authentication, decoding and validation. */
export interface Call {
  readonly cause: Cause;
  /** The `:id` of the path, or ''. */
  readonly id: string;
  readonly params: Params;
  readonly apiVersion: string;
  /** Set by a lagging list: hides what was inserted after this wall time in milliseconds. */
  readonly insertedBeforeMs?: number;
}
