import { type DisputeSnapshot, type PaymentStatus, type RefundStatus } from '@tidegate/contracts/payment';
import { type CancelCause, type Card, type Failure, type IntentStep, type Terms } from './payment.events.js';

/** Where the money stands, as far as it is certain. Each variant has the facts that exist only there. */
export type Lifecycle =
  | { status: 'queued' }
  /** Accepted; the first command has no certain answer yet. */
  | { status: 'opening' }
  | { status: 'requires_payment_method'; failure: Failure | null }
  | { status: 'requires_action' }
  | { status: 'processing' }
  | { status: 'authorized'; amount_capturable: number }
  /** `paid_at`: as Stripe says, else when it was recorded. */
  | { status: 'succeeded'; amount_captured: number; paid_at: string }
  | { status: 'canceled'; reason: string | null }
  | { status: 'failed'; failure: Failure };

/** A call that was committed to: `awaited` may still be on its way (or was never made), `missing` certainly gave no answer. */
export interface Submission {
  step: IntentStep;
  n: number;
  at: string;
  answer: 'awaited' | 'missing';
  /** Stripe keeps an error under this key: the same key will never do anything again. */
  stored: boolean;
}

interface PendingBase {
  command_id: string;
  submission: Submission | null;
  /** Some answer went missing since this command began. */
  unknown: boolean;
}

/** The one command on the intent that has no certain outcome yet. */
export type Pending =
  | (PendingBase & { kind: 'create' })
  | (PendingBase & { kind: 'confirm'; payment_method: string; not_after: string })
  | (PendingBase & { kind: 'capture'; amount: number | null })
  | (PendingBase & { kind: 'cancel'; reason: string | null; cause: CancelCause; failure: Failure | null });

/** Names a committed call on the intent; a refund's call has the refund's id. */
export const callIdOf = ({ command_id, submission }: Pending): string => `${command_id}:${submission?.step}:${submission?.n}`;

export interface Refund {
  id: string;
  command_id: string | null;
  amount: number;
  reason: string | null;
  /** `requested`: a call is committed to; `unknown`: it gave no answer. */
  status: 'requested' | 'unknown' | 'pending' | 'succeeded' | 'failed';
  stripe_refund: string | null;
  /** When its only key was first committed. */
  submitted_at: string;
  stored: boolean;
  /** When a complete list first lacked it, since the last call. */
  not_seen_at: string | null;
  failure: Failure | null;
  /** Its command has a certain answer. */
  completed: boolean;
  created_at: string;
}

/** `movements`: how many balance transactions its figures are the totals of. */
export type Dispute = DisputeSnapshot & { movements: number };

export interface Payment {
  kind: 'payment';
  terms: Terms;
  /** The command that made it; null for payments that were not made through our API. */
  command_id: string | null;
  lifecycle: Lifecycle;
  intent_id: string | null;
  /** Fingerprint of the intent's last attempt, to tell a new one from it. */
  mark: string;
  charge: string | null;
  card: Card | null;
  pending: Pending | null;
  refunds: Refund[];
  disputes: Dispute[];
  /** Further intents that carry our payment id: unconfirmed, to be canceled. */
  orphans: string[];
  /** How many facts were published. */
  published: number;
  created_at: string;
  updated_at: string;
  /** Since when `statusOf` says the same. */
  status_since: string;
}

export type PaymentState = { kind: 'none' } | Payment;

export const noPayment: PaymentState = { kind: 'none' };

/** The mark of an intent on which nothing was attempted. */
export const NO_MARK = '-';

const FINAL = ['succeeded', 'canceled', 'failed'] as const;

export const isFinal = (payment: Payment): boolean => (FINAL as readonly string[]).includes(payment.lifecycle.status);

/** In the queue, and no call was committed to. */
export const isUnsent = (payment: Payment): payment is Payment & { pending: Pending } =>
  payment.lifecycle.status === 'queued' && payment.pending !== null && payment.pending.submission === null;

/** What we tell about a payment: certain facts win, then `unknown` while an answer is missing. */
export function statusOf(payment: Payment): PaymentStatus {
  const { status } = payment.lifecycle;
  if (isFinal(payment)) return status as PaymentStatus;
  if (status === 'opening' || payment.pending?.unknown) return 'unknown';
  return status;
}

/** The payment as it is told to whoever waits for this command: while its call is out, nothing about it is certain. */
export function whileRunning(payment: Payment, commandId: string): Payment {
  const { pending, lifecycle } = payment;
  if (pending?.command_id !== commandId || lifecycle.status === 'queued') return payment;
  return { ...payment, pending: { ...pending, unknown: true } };
}

export const refundStatusOf = (refund: Refund): RefundStatus => (refund.status === 'requested' ? 'unknown' : refund.status);

export const capturedOf = (payment: Payment): number => (payment.lifecycle.status === 'succeeded' ? payment.lifecycle.amount_captured : 0);

export const paidAtOf = (payment: Payment): string | null => (payment.lifecycle.status === 'succeeded' ? payment.lifecycle.paid_at : null);

/** Authorized and, since less or nothing was captured, let go: nobody has paid it. */
export const releasedOf = (payment: Payment): number =>
  ['succeeded', 'canceled', 'failed'].includes(payment.lifecycle.status) ? payment.terms.amount - capturedOf(payment) : 0;

/** No call that could move money starts after this. RFC 3339. */
export const deadlineOf = ({ pending, terms }: Payment): string => (pending?.kind === 'confirm' ? pending.not_after : terms.not_after);

/** What Stripe has given back or promised to. */
export const refundedOf = (payment: Payment): number =>
  sum(payment.refunds.filter((r) => r.status === 'pending' || r.status === 'succeeded'));

/** Captured, not given back, and not reserved by a refund whose outcome is open. */
export const refundableOf = (payment: Payment): number => capturedOf(payment) - sum(payment.refunds.filter((r) => r.status !== 'failed'));

const sum = (refunds: Refund[]): number => refunds.reduce((total, refund) => total + refund.amount, 0);

export const cancellationReasonOf = (payment: Payment): string | null =>
  payment.lifecycle.status === 'canceled' ? payment.lifecycle.reason : null;

export const failureOf = (payment: Payment): Failure | null => ('failure' in payment.lifecycle ? payment.lifecycle.failure : null);
