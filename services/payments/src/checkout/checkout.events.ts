import { type MissingCause, type Rejection } from '../payment/payment.events.js';

/** What can have happened to a checkout. Private to this service; `checkout.publish.ts` is the only road to the outside. Amounts in minor units. */

/** What was agreed at acceptance and never changes. Names of things, addresses of pages and what is about a person stand in `request_details`. */
export interface CheckoutTerms {
  checkout_id: string;
  tenant: string;
  livemode: boolean;
  amount: number;
  currency: string;
  customer: string | null;
  metadata: Record<string, string>;
}

/** Why a page is closed. */
export type ExpiryCause = 'requested' | 'window' | 'extension';

/** What becomes of a success after the end of the window. */
export type LatePolicy = 'accept' | 'refund' | 'hold';

/** `awaited`: a delayed method. `none`: nothing was to be paid. */
export type SessionPayment = 'paid' | 'awaited' | 'failed' | 'none';

export type CheckoutEvent =
  /** A call that opens a page is committed to along with it: `{command}:session:1`, with `expires_at` in epoch seconds. */
  | { type: 'CheckoutAccepted'; data: { terms: CheckoutTerms; command_id: string; window_ends_at: string; expires_at: number } }
  /** The call again, under the same key or the next one. */
  | { type: 'SessionSubmitted'; data: { command_id: string; n: number; expires_at: number } }
  | { type: 'SessionAnswerMissing'; data: { command_id: string; n: number; cause: MissingCause; stored: boolean } }
  | { type: 'SessionOpened'; data: { stripe_session: string; url: string | null; expires_at: number } }
  | { type: 'SessionRejected'; data: { rejection: Rejection } }
  /** The window ended before there was a page. */
  | { type: 'SessionNotOpened'; data: Record<string, never> }
  /** `until`: the window that a fresh page shall have, once this one is gone. */
  | {
      type: 'ExpirySubmitted';
      data: { command_id: string; n: number; stripe_session: string; cause: ExpiryCause; until: string | null };
    }
  | { type: 'ExpiryAnswerMissing'; data: { command_id: string; n: number; cause: MissingCause; stored: boolean } }
  | { type: 'SessionExpired'; data: { stripe_session: string; cause: ExpiryCause } }
  /** A call that opens a page is committed to along with it, as at acceptance. */
  | { type: 'WindowExtended'; data: { command_id: string; until: string; expires_at: number } }
  /** `late`: by which policy a success after the end of the window is judged; null when it was in time. */
  | {
      type: 'CheckoutCompleted';
      data: {
        stripe_session: string;
        payment_id: string | null;
        payment_intent: string | null;
        payment: SessionPayment;
        completed_at: string;
        late: LatePolicy | null;
      };
    }
  | { type: 'PaymentSettled'; data: { payment: 'paid' | 'failed' } }
  /** `because`: the refund that it had failed after all, and it is made again; absent when a person decided. */
  | { type: 'LateSuccessDecided'; data: { action: 'accept' | 'refund'; because?: 'refund_failed' } }
  | { type: 'LateSuccessRefunded'; data: { refund_id: string | null } }
  | { type: 'CommandAccepted'; data: { command_id: string } }
  | { type: 'CommandCompleted'; data: { command_id: string; rejection: Rejection | null } };

export type CheckoutEventType = CheckoutEvent['type'];

/** An event with the time it happened (our clock). */
export type Occurred = CheckoutEvent & { at: string };
