import { type CheckoutPaymentStatus, type CheckoutStatus, type LateSuccess } from '@tidegate/contracts/checkout';
import { type Rejection } from '../payment/payment.events.js';
import { type CheckoutTerms, type ExpiryCause, type SessionPayment } from './checkout.events.js';

/** A call that was committed to: `awaited` may still be on its way (or was never made), `missing` certainly gave no answer. */
export interface Call {
  command_id: string;
  n: number;
  /** When the key was first committed to. */
  since: string;
  answer: 'awaited' | 'missing';
  /** Stripe keeps an error under this key: the same key will never do anything again. */
  stored: boolean;
}

/** How a checkout stands, as far as it is certain. At any time it has one page at most that can be paid. */
export type Lifecycle =
  /** A page was asked for. `expires_at` in epoch seconds, as it is sent. */
  | { status: 'opening'; call: Call & { expires_at: number } }
  | { status: 'open'; stripe_session: string; url: string | null }
  /** Stripe was asked to close the page, which can be paid until it says so. */
  | { status: 'closing'; stripe_session: string; url: string | null; call: Call; cause: ExpiryCause; until: string | null }
  | { status: 'complete'; stripe_session: string; payment: SessionPayment; late: LateSuccess | null }
  | { status: 'expired'; stripe_session: string | null }
  | { status: 'failed'; rejection: Rejection };

export interface Checkout {
  kind: 'checkout';
  terms: CheckoutTerms;
  lifecycle: Lifecycle;
  window_ends_at: string;
  payment_id: string | null;
  payment_intent: string | null;
  /** Every page that it ever had, oldest first. */
  sessions: string[];
  /** The command that waits for a certain outcome. */
  pending: string | null;
  /** How many facts were published. */
  published: number;
  created_at: string;
  updated_at: string;
}

export type CheckoutState = { kind: 'none' } | Checkout;

export const noCheckout: CheckoutState = { kind: 'none' };

/** What we tell: it is open until Stripe has said otherwise. */
export function statusOf({ lifecycle }: Checkout): CheckoutStatus {
  switch (lifecycle.status) {
    case 'opening':
    case 'open':
    case 'closing':
      return 'open';
    case 'complete':
      return 'complete';
    case 'expired':
    case 'failed':
      return 'expired';
    default:
      return lifecycle satisfies never;
  }
}

export const paymentStatusOf = ({ lifecycle }: Checkout): CheckoutPaymentStatus =>
  lifecycle.status === 'complete' ? lifecycle.payment : 'unpaid';

export const lateOf = ({ lifecycle }: Checkout): LateSuccess | null => (lifecycle.status === 'complete' ? lifecycle.late : null);

/** The page that counts now; null while it is asked for, or when there never was one. */
export const sessionOf = ({ lifecycle }: Checkout): string | null => ('stripe_session' in lifecycle ? lifecycle.stripe_session : null);

export const callIdOf = ({ lifecycle }: Checkout): string | null =>
  'call' in lifecycle ? `${lifecycle.call.command_id}:${lifecycle.status}:${lifecycle.call.n}` : null;
