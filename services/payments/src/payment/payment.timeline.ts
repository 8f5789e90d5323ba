import { type StoredEvent } from '@tidegate/event-store/event';
import { type PaymentEventType } from './payment.events.js';

/** One sentence per kind of event, for people. */
const SUMMARY: Record<PaymentEventType, string> = {
  PaymentAccepted: 'The payment was accepted.',
  PaymentAdopted: 'The payment was found at Stripe.',
  StepSubmitted: 'A call to Stripe was committed to.',
  AnswerMissing: 'Stripe gave no certain answer; looking for the effect.',
  IntentRecorded: 'Stripe created the PaymentIntent.',
  ConfirmRequested: 'A confirmation was requested.',
  CaptureRequested: 'A capture was requested.',
  CancelRequested: 'A cancellation was requested.',
  CommandCompleted: 'The request has a certain outcome.',
  AmountChanged: 'The amount was changed at Stripe.',
  PaymentMethodAwaited: 'The payment waits for a payment method.',
  PaymentDeclined: 'The attempt was declined.',
  PaymentActionRequired: 'The payer must act.',
  PaymentProcessingStarted: 'The payment is being processed.',
  PaymentAuthorized: 'The amount was authorized.',
  PaymentSucceeded: 'The amount was captured.',
  PaymentCanceled: 'The payment was canceled.',
  PaymentFailed: 'The payment failed.',
  RefundRequested: 'A refund was requested.',
  RefundAnswerMissing: 'Stripe gave no certain answer to the refund; looking for the effect.',
  RefundNotSeen: 'The refund is not among those that Stripe lists.',
  RefundRecorded: 'Stripe told how the refund stands.',
  RefundRejected: 'Stripe refused the refund.',
  RefundNotExecuted: 'The refund was never carried out.',
  RefundCompleted: 'The refund request has a certain outcome.',
  OrphanIntentFound: 'A second, unconfirmed PaymentIntent was found.',
  OrphanIntentCanceled: 'The second PaymentIntent was canceled.',
};

export function timelineEntry(event: StoredEvent) {
  const { terms, ...rest } = event.data as Record<string, unknown>;
  const amounts = terms as { amount: number; currency: string } | undefined;
  return {
    type: event.type,
    at: event.occurred_at.toISOString(),
    summary: SUMMARY[event.type as PaymentEventType] ?? event.type,
    data: amounts ? { ...rest, amount: amounts.amount, currency: amounts.currency } : rest,
  };
}
