import { type DisputeFunds, type DisputeSnapshot, type DisputeStatus } from '@tidegate/contracts/payment';

/** What can have happened to a payment. Private to this service; `payment.publish.ts` is the only road to the outside. Amounts in minor units. */

export interface Failure {
  code: string;
  decline_code: string | null;
  message: string;
}

export interface Card {
  brand: string;
  last4: string;
}

/** What was agreed at acceptance and never changes, but for amount and currency of a payment that is not ours to decide about, or that another program raised, or put into another currency, at Stripe. Personal data is not here but in `request_details`. */
export interface Terms {
  payment_id: string;
  tenant: string;
  origin: 'api' | 'checkout' | 'subscription' | 'dashboard';
  livemode: boolean;
  amount: number;
  currency: string;
  capture_method: 'automatic' | 'manual';
  customer: string | null;
  metadata: Record<string, string>;
  /** The pm_… to confirm with; null leaves the intent open for a later confirm. */
  payment_method: string | null;
  /** No call that could move money starts after this. RFC 3339. */
  not_after: string;
}

/** The steps that reach Stripe, as they stand in Stripe keys `{command}:{step}:{n}`. */
export type IntentStep = 'intent' | 'confirm' | 'capture' | 'cancel';

/**
 * Why an answer is missing: what the gateway said; `interrupted` when a process died with the call in its hands; `overdrawn` when it came, and together with what we know
 * more would be given back than was captured.
 */
export type MissingCause =
  'timeout' | 'connection' | 'server_error' | 'bad_body' | 'key_conflict' | 'not_found' | 'interrupted' | 'overdrawn';

/** Why an intent is to be canceled. */
export type CancelCause = 'requested' | 'create_rejected' | 'expired';

export interface Rejection {
  code: string;
  detail: string;
}

/** Stripe's status of a refund in our words; `failed` covers canceled ones. */
export type SettledRefund = 'pending' | 'succeeded' | 'failed';

export type PaymentEvent =
  | { type: 'PaymentAccepted'; data: { terms: Terms; command_id: string; queued: boolean } }
  | { type: 'PaymentAdopted'; data: { terms: Terms; intent_id: string } }
  | { type: 'StepSubmitted'; data: { command_id: string; step: IntentStep; n: number } }
  | { type: 'AnswerMissing'; data: { command_id: string; step: IntentStep; n: number; cause: MissingCause; stored: boolean } }
  | { type: 'IntentRecorded'; data: { intent_id: string } }
  /** `not_after`: no confirm starts after this; the payment's own where it is absent. */
  | { type: 'ConfirmRequested'; data: { command_id: string; payment_method: string; not_after?: string } }
  | { type: 'CaptureRequested'; data: { command_id: string; amount: number | null } }
  | { type: 'CancelRequested'; data: { command_id: string; reason: string | null; cause: CancelCause; failure: Failure | null } }
  | { type: 'CommandCompleted'; data: { command_id: string; rejection: Rejection | null } }
  /** Only where another program owns the intent, whose currency may change with it, or has made ours dearer, or changed its currency. */
  | { type: 'AmountChanged'; data: { amount: number; currency?: string } }
  | { type: 'PaymentMethodAwaited'; data: { mark: string } }
  | { type: 'PaymentDeclined'; data: { failure: Failure; mark: string } }
  | { type: 'PaymentActionRequired'; data: { mark: string } }
  | { type: 'PaymentProcessingStarted'; data: { mark: string } }
  | { type: 'PaymentAuthorized'; data: { amount_capturable: number; charge: string | null; card: Card | null } }
  /** `paid_at`: by Stripe's clock, where that is told. RFC 3339. */
  | { type: 'PaymentSucceeded'; data: { amount_captured: number; charge: string | null; card: Card | null; paid_at?: string } }
  | { type: 'PaymentCanceled'; data: { reason: string | null } }
  | { type: 'PaymentFailed'; data: { failure: Failure } }
  | { type: 'RefundRequested'; data: { refund_id: string; command_id: string; amount: number; reason: string | null } }
  | { type: 'RefundAnswerMissing'; data: { refund_id: string; cause: MissingCause; stored: boolean } }
  | { type: 'RefundNotSeen'; data: { refund_id: string } }
  /** `command_id`: of a refund that was lost with a restore and found again by our ids. */
  | {
      type: 'RefundRecorded';
      data: {
        refund_id: string;
        stripe_refund: string;
        status: SettledRefund;
        amount: number;
        reason: string | null;
        command_id?: string;
        /** Why it failed, in Stripe's words. */
        failure_reason?: string | null;
      };
    }
  | { type: 'RefundRejected'; data: { refund_id: string; failure: Failure } }
  | { type: 'RefundNotExecuted'; data: { refund_id: string } }
  | { type: 'RefundCompleted'; data: { refund_id: string } }
  | { type: 'OrphanIntentFound'; data: { intent_id: string } }
  | { type: 'OrphanIntentCanceled'; data: { intent_id: string } }
  | DisputeEvent;

/** As it was when it was opened; money has not moved for it yet. */
export type OpenedDispute = Omit<DisputeSnapshot, 'funds'>;

interface DisputeChange {
  dispute_id: string;
  status: DisputeStatus;
  amount: number;
  reason: string | null;
  respond_by: string | null;
}

interface DisputeMovement {
  dispute_id: string;
  /** Totals, not differences. */
  funds: DisputeFunds;
  /** How many balance transactions they are the totals of. */
  movements: number;
}

export type DisputeEvent =
  | { type: 'DisputeOpened'; data: { dispute: OpenedDispute } }
  | { type: 'DisputeUpdated'; data: DisputeChange }
  | { type: 'DisputeFundsWithdrawn'; data: DisputeMovement }
  | { type: 'DisputeFundsReinstated'; data: DisputeMovement }
  | { type: 'DisputeClosed'; data: DisputeChange };

export type PaymentEventType = PaymentEvent['type'];

/** An event with the time it happened (our clock). */
export type Occurred = PaymentEvent & { at: string };
