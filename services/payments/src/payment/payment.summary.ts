import { formatAmount } from '@tidegate/money/amount';
import { isDisputeEvent, summaryOfDispute } from './dispute.summary.js';
import { type Failure, type IntentStep, type MissingCause, type Occurred } from './payment.events.js';
import { type Payment, type PaymentState } from './payment.state.js';

/** One event in plain words, for somebody who has to understand at night what happened to this payment. */
export function summaryOf(event: Occurred, before: PaymentState, after: Payment): string {
  if (isDisputeEvent(event)) return summaryOfDispute(event, before as Payment, after);
  const money = (amount: number) => formatAmount(BigInt(amount), after.terms.currency);
  switch (event.type) {
    case 'PaymentAccepted':
      return event.data.queued
        ? `A payment of ${money(after.terms.amount)} was accepted and waits in the queue; Stripe has not been asked yet.`
        : `A payment of ${money(after.terms.amount)} was accepted.`;
    case 'PaymentAdopted':
      return `A payment of ${money(after.terms.amount)} was found at Stripe that had not been made by a request here.`;
    case 'StepSubmitted':
      return event.data.n === 1
        ? `Stripe is asked to ${TO_DO[event.data.step]}.`
        : `Stripe is asked again to ${TO_DO[event.data.step]}, with key number ${event.data.n}: the one before will tell nothing more.`;
    case 'AnswerMissing':
      return `Asked to ${TO_DO[event.data.step]}, Stripe gave no certain answer (${MISSING[event.data.cause]}); the effect is looked for.`;
    case 'IntentRecorded':
      return `Stripe created the PaymentIntent ${event.data.intent_id}; no money has moved.`;
    case 'ConfirmRequested':
      return `Somebody asked to pay with ${event.data.payment_method}.`;
    case 'CaptureRequested':
      return `Somebody asked to capture ${event.data.amount === null ? 'all that is authorized' : money(event.data.amount)}.`;
    case 'CancelRequested':
      return CANCEL_REQUESTED[event.data.cause];
    case 'CommandCompleted':
      return event.data.rejection ? `The request was refused: ${event.data.rejection.detail}` : 'The request has its certain answer.';
    case 'AmountChanged':
      return `At Stripe the amount was changed to ${money(event.data.amount)}.`;
    case 'PaymentMethodAwaited':
      return 'The payment waits for a payment method.';
    case 'PaymentDeclined':
      return `The attempt to pay failed: ${worded(event.data.failure)}. Nothing was charged; another payment method can be tried.`;
    case 'PaymentActionRequired':
      return 'The payer has to do something now, such as confirm with the bank (3-D Secure).';
    case 'PaymentProcessingStarted':
      return 'The payment is on its way; with this payment method the outcome can take days.';
    case 'PaymentAuthorized':
      return `${money(event.data.amount_capturable)} is held for us and waits for a capture.`;
    case 'PaymentSucceeded':
      return succeeded(event.data.amount_captured, before as Payment, money);
    case 'PaymentCanceled':
      return canceled(event.data.reason);
    case 'PaymentFailed':
      return `The payment failed for good: ${worded(event.data.failure)}. Nothing was charged.`;
    case 'RefundRequested':
      return `Somebody asked to refund ${money(event.data.amount)}.`;
    case 'RefundAnswerMissing':
      return `Stripe gave no certain answer to the refund (${MISSING[event.data.cause]}); until it is found out its amount stays reserved.`;
    case 'RefundNotSeen':
      return "The refund is missing from Stripe's complete list; it is looked for once more before it counts as never made.";
    case 'RefundRecorded':
      return refundRecorded(event.data, money);
    case 'RefundRejected':
      return `Stripe refused the refund: ${worded(event.data.failure)}.`;
    case 'RefundNotExecuted':
      return 'Stripe never made the refund; its amount can be refunded again.';
    case 'RefundCompleted':
      return 'The refund request has its certain answer.';
    case 'OrphanIntentFound':
      return `A second PaymentIntent (${event.data.intent_id}) carries the id of this payment; it is canceled so that nobody can pay it.`;
    case 'OrphanIntentCanceled':
      return `The second PaymentIntent (${event.data.intent_id}) is canceled.`;
    default:
      return event satisfies never;
  }
}

const TO_DO: Readonly<Record<IntentStep, string>> = {
  intent: 'create the PaymentIntent',
  confirm: 'confirm the payment',
  capture: 'capture the amount',
  cancel: 'cancel the PaymentIntent',
};

const MISSING: Readonly<Record<MissingCause, string>> = {
  timeout: 'it took too long',
  connection: 'the connection broke',
  server_error: 'an error on its side',
  bad_body: 'the answer could not be read',
  key_conflict: 'it knows the key with another request',
  not_found: 'it does not know the object that we have recorded',
  interrupted: 'our process went away',
  overdrawn: 'more would be given back than was captured, so another refund must have failed',
};

const CANCEL_REQUESTED = {
  requested: 'Somebody asked to cancel the payment.',
  create_rejected: 'Stripe refused the request, so the PaymentIntent is canceled: nobody could go on with it.',
  expired: 'Time is up without a certain outcome; the PaymentIntent is canceled so that it can never be charged.',
} as const;

const CANCELED: Readonly<Record<string, string>> = {
  expired_in_queue: 'The payment was canceled: its time was up while it waited in the queue. Stripe was never asked.',
  expired: 'The payment was canceled: its time was up before Stripe had charged anything.',
  automatic: 'Stripe canceled the payment: the authorization was not captured in time and has been released.',
};

const canceled = (reason: string | null): string =>
  CANCELED[reason ?? ''] ?? `The payment was canceled${reason === null ? '' : ` (${reason})`}; nothing was charged.`;

function succeeded(captured: number, before: Payment, money: (amount: number) => string): string {
  const released = before.terms.amount - captured;
  return released > 0 ? `${money(captured)} was charged; the other ${money(released)} was released.` : `${money(captured)} was charged.`;
}

type Recorded = Extract<Occurred, { type: 'RefundRecorded' }>['data'];

function refundRecorded({ status, amount, failure_reason }: Recorded, money: (amount: number) => string): string {
  switch (status) {
    case 'pending':
      return `A refund of ${money(amount)} is on its way to the customer.`;
    case 'succeeded':
      return `${money(amount)} was refunded.`;
    case 'failed':
      return `The refund of ${money(amount)} failed${failure_reason ? ` (${failure_reason})` : ''}; the amount can be refunded again.`;
  }
}

const worded = ({ code, decline_code, message }: Failure): string =>
  `${message.replace(/\.$/, '')} (${decline_code === null ? code : `${code}, ${decline_code}`})`;
