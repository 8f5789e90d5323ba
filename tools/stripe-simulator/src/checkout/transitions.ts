import { type CheckoutSession, type SessionStatus } from './session.js';

export type SessionOperation = 'expire' | 'pay';

/** Which states allow which operation; everywhere else it is refused with 400. */
export const ALLOWED_FROM: Readonly<Record<SessionOperation, readonly SessionStatus[]>> = {
  expire: ['open'],
  pay: ['open'],
};

interface Outcome {
  readonly status: SessionStatus;
  readonly paymentStatus: CheckoutSession['payment_status'];
  /** Every event, the PaymentIntent's and charge's included, in the order in which they are emitted. */
  readonly events: readonly string[];
}

/** What can come of a session in payment mode: its state afterwards and the exact events of the step. */
export const OUTCOMES = {
  created: { status: 'open', paymentStatus: 'unpaid', events: [] },
  paid: {
    status: 'complete',
    paymentStatus: 'paid',
    events: ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'],
  },
  authorized: {
    status: 'complete',
    paymentStatus: 'unpaid',
    events: ['payment_intent.created', 'charge.succeeded', 'payment_intent.amount_capturable_updated', 'checkout.session.completed'],
  },
  captured: { status: 'complete', paymentStatus: 'paid', events: ['charge.captured', 'payment_intent.succeeded'] },
  free: { status: 'complete', paymentStatus: 'no_payment_required', events: ['checkout.session.completed'] },
  declined: {
    status: 'open',
    paymentStatus: 'unpaid',
    events: ['payment_intent.created', 'charge.failed', 'payment_intent.payment_failed'],
  },
  action_required: { status: 'open', paymentStatus: 'unpaid', events: ['payment_intent.created', 'payment_intent.requires_action'] },
  authenticated: {
    status: 'complete',
    paymentStatus: 'paid',
    events: ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'],
  },
  paid_after_decline: {
    status: 'complete',
    paymentStatus: 'paid',
    events: ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'],
  },
  pending: {
    status: 'complete',
    paymentStatus: 'unpaid',
    events: ['payment_intent.created', 'charge.pending', 'payment_intent.processing', 'checkout.session.completed'],
  },
  paid_later: {
    status: 'complete',
    paymentStatus: 'paid',
    events: ['charge.succeeded', 'payment_intent.succeeded', 'checkout.session.async_payment_succeeded'],
  },
  failed_later: {
    status: 'complete',
    paymentStatus: 'unpaid',
    events: ['charge.failed', 'payment_intent.payment_failed', 'checkout.session.async_payment_failed'],
  },
  expired: { status: 'expired', paymentStatus: 'unpaid', events: ['checkout.session.expired'] },
  expired_after_decline: { status: 'expired', paymentStatus: 'unpaid', events: ['payment_intent.canceled', 'checkout.session.expired'] },
} as const satisfies Readonly<Record<string, Outcome>>;

export type OutcomeName = keyof typeof OUTCOMES;
