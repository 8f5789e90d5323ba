import { type PaymentCommand } from './payment.commands.js';
import { type IntentStep, type PaymentEvent } from './payment.events.js';
import {
  captureExceedsAuthorized,
  confirmedOnItsPage,
  illegalState,
  type Refusal,
  refundExceedsCaptured,
  tooManyRefunds,
} from './payment.refusals.js';
import { isFinal, isUnsent, type Payment, type PaymentState, type Refund, refundableOf, statusOf } from './payment.state.js';

/**
 * `busy`: another command on the intent has no certain outcome yet; ask again later, nothing was decided. `known`: this very refund was made before its
 * request was lost.
 */
export type Decision =
  | { kind: 'accepted'; events: PaymentEvent[] }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'known'; refund: Refund }
  | { kind: 'busy' };

/** Whether a command may be carried out, and the facts that follow at once. The call to Stripe is committed to in the same breath. */
export function decide(state: PaymentState, command: PaymentCommand): Decision {
  if (command.type === 'CreatePayment') return create(state, command);
  if (state.kind === 'none') throw new Error('Bug: a command to a payment that does not exist');
  switch (command.type) {
    case 'ConfirmPayment':
      return confirm(state, command);
    case 'CapturePayment':
      return capture(state, command);
    case 'CancelPayment':
      return cancel(state, command);
    case 'RefundPayment':
      return refund(state, command);
    default:
      return command satisfies never;
  }
}

/** Each event of a payment tells all its refunds and must stay small enough for the broker. */
const MOST_REFUNDS = 1000;

type Of<T extends PaymentCommand['type']> = Extract<PaymentCommand, { type: T }>;

function create(state: PaymentState, { terms, command_id, queued }: Of<'CreatePayment'>): Decision {
  if (state.kind !== 'none') throw new Error('Bug: this payment exists already');
  const acceptance: PaymentEvent = { type: 'PaymentAccepted', data: { terms, command_id, queued } };
  return accept(acceptance, ...(queued ? [] : [firstCall(command_id, 'intent')]));
}

/**
 * A confirm has a window of its own: whoever pays late is not judged by when the payment was made. One of a page is the payer's: behind the page it could be
 * charged while the checkout gets another.
 */
function confirm(payment: Payment, { command_id, payment_method, not_after: own }: Of<'ConfirmPayment'>): Decision {
  if (payment.terms.origin === 'checkout') return refuse(confirmedOnItsPage);
  if (payment.pending) return { kind: 'busy' };
  const { status } = payment.lifecycle;
  if (status !== 'requires_payment_method' && status !== 'requires_action') return refuse(illegalState('confirmed', statusOf(payment)));
  const not_after = Date.parse(own) > Date.parse(payment.terms.not_after) ? own : payment.terms.not_after;
  return accept({ type: 'ConfirmRequested', data: { command_id, payment_method, not_after } }, firstCall(command_id, 'confirm'));
}

function capture(payment: Payment, { command_id, amount }: Of<'CapturePayment'>): Decision {
  if (payment.pending) return { kind: 'busy' };
  if (payment.lifecycle.status !== 'authorized') return refuse(illegalState('captured', statusOf(payment)));
  const authorized = payment.lifecycle.amount_capturable;
  if (amount !== null && amount > authorized) return refuse(captureExceedsAuthorized(amount, authorized));
  return accept({ type: 'CaptureRequested', data: { command_id, amount } }, firstCall(command_id, 'capture'));
}

/** What was never sent is canceled without a call. */
function cancel(payment: Payment, { command_id, reason }: Of<'CancelPayment'>): Decision {
  const { status } = payment.lifecycle;
  if (isUnsent(payment)) {
    return accept(
      { type: 'CancelRequested', data: { command_id, reason, cause: 'requested', failure: null } },
      { type: 'PaymentCanceled', data: { reason } },
      { type: 'CommandCompleted', data: { command_id: payment.pending.command_id, rejection: null } },
      { type: 'CommandCompleted', data: { command_id, rejection: null } },
    );
  }
  if (payment.pending) return { kind: 'busy' };
  if (status === 'succeeded' || status === 'canceled' || status === 'failed') return refuse(illegalState('canceled', status));
  return accept(
    { type: 'CancelRequested', data: { command_id, reason, cause: 'requested', failure: null } },
    firstCall(command_id, 'cancel'),
  );
}

/** Every refund whose outcome is open keeps its amount reserved, so concurrent refunds can never exceed what was captured. */
function refund(payment: Payment, { command_id, refund_id, amount, reason }: Of<'RefundPayment'>): Decision {
  const known = payment.refunds.find((one) => one.id === refund_id);
  if (known) return known.completed ? { kind: 'known', refund: known } : { kind: 'busy' };
  if (payment.lifecycle.status !== 'succeeded') {
    return payment.pending && !isFinal(payment) ? { kind: 'busy' } : refuse(illegalState('refunded', statusOf(payment)));
  }
  if (payment.refunds.length >= MOST_REFUNDS) return refuse(tooManyRefunds(MOST_REFUNDS));
  const left = refundableOf(payment);
  const asked = amount ?? left;
  if (asked > left || asked < 1) return refuse(refundExceedsCaptured(asked, left));
  return accept({ type: 'RefundRequested', data: { refund_id, command_id, amount: asked, reason } });
}

const firstCall = (command_id: string, step: IntentStep): PaymentEvent => ({ type: 'StepSubmitted', data: { command_id, step, n: 1 } });

const accept = (...events: PaymentEvent[]): Decision => ({ kind: 'accepted', events });

const refuse = (refusal: Refusal): Decision => ({ kind: 'refused', refusal });
