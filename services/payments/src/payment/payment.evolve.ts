import { evolveDispute } from './dispute.evolve.js';
import { factsBetween } from './facts.decide.js';
import { type Occurred } from './payment.events.js';
import {
  isFinal,
  type Lifecycle,
  NO_MARK,
  noPayment,
  type Payment,
  type PaymentState,
  type Pending,
  type Refund,
  statusOf,
} from './payment.state.js';

/** The state after one more event. */
export function evolve(state: PaymentState, event: Occurred): PaymentState {
  const next = apply(state, event);
  const same = state.kind !== 'none' && statusOf(state) === statusOf(next);
  return {
    ...next,
    updated_at: event.at,
    status_since: same ? state.status_since : event.at,
    published: next.published + factsBetween(state, next).length,
  };
}

export const replay = (events: readonly Occurred[], from: PaymentState = noPayment): PaymentState => events.reduce(evolve, from);

function apply(state: PaymentState, event: Occurred): Payment {
  if (event.type === 'PaymentAccepted') return accepted(event);
  if (event.type === 'PaymentAdopted') return adopted(event);
  if (state.kind === 'none') throw new Error(`Bug: ${event.type} before the payment exists`);
  return applyToPayment(state, event);
}

function applyToPayment(payment: Payment, event: Occurred): Payment {
  switch (event.type) {
    case 'PaymentAccepted':
    case 'PaymentAdopted':
      throw new Error(`Bug: ${event.type} twice`);
    case 'StepSubmitted':
      return submitted(payment, event);
    case 'AnswerMissing':
      return withSubmission(payment, { unknown: true }, { answer: 'missing', stored: event.data.stored });
    case 'IntentRecorded':
      return { ...withSubmission(payment, {}, null), intent_id: event.data.intent_id };
    case 'ConfirmRequested':
      return {
        ...payment,
        pending: { kind: 'confirm', not_after: payment.terms.not_after, ...event.data, submission: null, unknown: false },
      };
    case 'CaptureRequested':
      return { ...payment, pending: { kind: 'capture', ...event.data, submission: null, unknown: false } };
    case 'CancelRequested':
      return { ...payment, pending: { kind: 'cancel', ...event.data, submission: null, unknown: payment.pending?.unknown ?? false } };
    case 'CommandCompleted':
      return payment.pending?.command_id === event.data.command_id ? { ...payment, pending: null } : payment;
    case 'AmountChanged':
      return { ...payment, terms: { ...payment.terms, ...event.data } };
    case 'PaymentMethodAwaited':
      return to(payment, { status: 'requires_payment_method', failure: null }, event.data.mark);
    case 'PaymentDeclined':
      return to(payment, { status: 'requires_payment_method', failure: event.data.failure }, event.data.mark);
    case 'PaymentActionRequired':
      return to(payment, { status: 'requires_action' }, event.data.mark);
    case 'PaymentProcessingStarted':
      return to(payment, { status: 'processing' }, event.data.mark);
    case 'PaymentAuthorized':
      return {
        ...to(payment, { status: 'authorized', amount_capturable: event.data.amount_capturable }),
        ...chargeOf(payment, event.data),
      };
    case 'PaymentSucceeded':
      return { ...to(payment, succeeded(event)), ...chargeOf(payment, event.data) };
    case 'PaymentCanceled':
      return to(payment, { status: 'canceled', reason: event.data.reason });
    case 'PaymentFailed':
      return to(payment, { status: 'failed', failure: event.data.failure });
    case 'RefundRequested':
      return { ...payment, refunds: [...payment.refunds, requestedRefund(event)] };
    case 'RefundRecorded':
      return recorded(payment, event);
    case 'RefundAnswerMissing':
      return changeRefund(payment, event.data.refund_id, (r) => ({
        ...r,
        status: r.status === 'requested' ? 'unknown' : r.status,
        stored: event.data.stored,
        not_seen_at: null,
      }));
    case 'RefundNotSeen':
      return changeRefund(payment, event.data.refund_id, (r) => ({
        ...r,
        status: r.status === 'requested' ? 'unknown' : r.status,
        not_seen_at: r.not_seen_at ?? event.at,
      }));
    case 'RefundRejected':
      return changeRefund(payment, event.data.refund_id, (r) => ({ ...r, status: 'failed', failure: event.data.failure }));
    case 'RefundNotExecuted':
      return changeRefund(payment, event.data.refund_id, (r) => ({ ...r, status: 'failed', failure: NOT_EXECUTED }));
    case 'RefundCompleted':
      return changeRefund(payment, event.data.refund_id, (r) => ({ ...r, completed: true }));
    case 'OrphanIntentFound':
      return { ...payment, orphans: [...payment.orphans, event.data.intent_id] };
    case 'OrphanIntentCanceled':
      return { ...payment, orphans: payment.orphans.filter((id) => id !== event.data.intent_id) };
    case 'DisputeOpened':
    case 'DisputeUpdated':
    case 'DisputeFundsWithdrawn':
    case 'DisputeFundsReinstated':
    case 'DisputeClosed':
      return evolveDispute(payment, event);
    default:
      return event satisfies never;
  }
}

const NOT_EXECUTED = { code: 'not_executed', decline_code: null, message: 'Stripe never carried this refund out.' };

const REFUND_FAILED = 'The bank sent the refund back; its amount can be refunded again.';

type Of<T extends Occurred['type']> = Extract<Occurred, { type: T }>;

function accepted({ data, at }: Of<'PaymentAccepted'>): Payment {
  return {
    ...blank(data.terms, at),
    command_id: data.command_id,
    lifecycle: data.queued ? { status: 'queued' } : { status: 'opening' },
    pending: { kind: 'create', command_id: data.command_id, submission: null, unknown: false },
  };
}

function adopted({ data, at }: Of<'PaymentAdopted'>): Payment {
  return { ...blank(data.terms, at), intent_id: data.intent_id, lifecycle: { status: 'requires_payment_method', failure: null } };
}

function blank(terms: Payment['terms'], at: string): Payment {
  return {
    kind: 'payment',
    terms,
    command_id: null,
    lifecycle: { status: 'opening' },
    intent_id: null,
    mark: NO_MARK,
    charge: null,
    card: null,
    pending: null,
    refunds: [],
    disputes: [],
    orphans: [],
    published: 0,
    created_at: at,
    updated_at: at,
    status_since: at,
  };
}

function submitted(payment: Payment, { data, at }: Of<'StepSubmitted'>): Payment {
  if (!payment.pending) throw new Error('Bug: a call without a command');
  const pending = { ...payment.pending, submission: { step: data.step, n: data.n, at, answer: 'awaited', stored: false } } as Pending;
  return { ...payment, pending, lifecycle: payment.lifecycle.status === 'queued' ? { status: 'opening' } : payment.lifecycle };
}

function withSubmission(
  payment: Payment,
  change: { unknown?: boolean },
  submission: { answer: 'missing'; stored: boolean } | null,
): Payment {
  if (!payment.pending) return payment;
  const current = payment.pending.submission;
  const next = submission === null || current === null ? null : { ...current, ...submission };
  return { ...payment, pending: { ...payment.pending, ...change, submission: next } as Pending };
}

/** What is final stays, whatever a decision made of an old view of the payment. */
const to = (payment: Payment, lifecycle: Lifecycle, mark = payment.mark): Payment =>
  isFinal(payment) ? payment : { ...payment, lifecycle, mark };

const succeeded = ({ data, at }: Of<'PaymentSucceeded'>): Lifecycle => ({
  status: 'succeeded',
  amount_captured: data.amount_captured,
  paid_at: data.paid_at ?? at,
});

const chargeOf = (payment: Payment, data: { charge: string | null; card: Payment['card'] }) => ({
  charge: data.charge ?? payment.charge,
  card: data.card ?? payment.card,
});

function requestedRefund({ data, at }: Of<'RefundRequested'>): Refund {
  return {
    id: data.refund_id,
    command_id: data.command_id,
    amount: data.amount,
    reason: data.reason,
    status: 'requested',
    stripe_refund: null,
    submitted_at: at,
    stored: false,
    not_seen_at: null,
    failure: null,
    completed: false,
    created_at: at,
  };
}

/** A refund that we did not ask for (the dashboard), or no longer know of, comes into being here. */
function recorded(payment: Payment, { data, at }: Of<'RefundRecorded'>): Payment {
  const known = payment.refunds.some((refund) => refund.id === data.refund_id);
  const failure = data.failure_reason ? { code: data.failure_reason, decline_code: null, message: REFUND_FAILED } : null;
  if (known)
    return changeRefund(payment, data.refund_id, (r) => ({ ...r, status: data.status, stripe_refund: data.stripe_refund, failure }));
  const found: Refund = {
    id: data.refund_id,
    command_id: data.command_id ?? null,
    amount: data.amount,
    reason: data.reason,
    status: data.status,
    stripe_refund: data.stripe_refund,
    submitted_at: at,
    stored: false,
    not_seen_at: null,
    failure,
    completed: true,
    created_at: at,
  };
  return { ...payment, refunds: [...payment.refunds, found] };
}

function changeRefund(payment: Payment, id: string, change: (refund: Refund) => Refund): Payment {
  return { ...payment, refunds: payment.refunds.map((refund) => (refund.id === id ? change(refund) : refund)) };
}
