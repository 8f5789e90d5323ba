import { StripeError, noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type PaymentIntent } from './payment-intent.js';
import { ALLOWED_FROM, type IntentOperation } from './transitions.js';

/** The intent of a path id (404) or of a parameter (400). */
export function intentById(world: World, id: string, param = 'id'): PaymentIntent {
  const intent = world.paymentIntents.get(id);
  if (intent === undefined) throw noSuch('payment_intent', id, param);
  return intent;
}

/** Refuses an operation that the intent's state does not allow, carrying the intent as Stripe does. */
export function mustAllow(operation: IntentOperation, intent: PaymentIntent): void {
  if (!ALLOWED_FROM[operation].includes(intent.status)) throw unexpectedState(MESSAGES[operation](intent), intent);
}

export function unexpectedState(message: string, intent: PaymentIntent): StripeError {
  const code = 'payment_intent_unexpected_state';
  return new StripeError(400, {
    type: 'invalid_request_error',
    code,
    doc_url: 'https://stripe.com/docs/error-codes/payment-intent-unexpected-state',
    message,
    payment_intent: intent,
  });
}

const MESSAGES: Readonly<Record<IntentOperation, (intent: PaymentIntent) => string>> = {
  update_amount: ({ status }) =>
    `This PaymentIntent's amount could not be updated because it has a status of ${status}. You may only update the amount of a PaymentIntent with one of the following statuses: ${ALLOWED_FROM.update_amount.join(', ')}.`,
  confirm: ({ status }) =>
    status === 'succeeded'
      ? 'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.'
      : `You cannot confirm this PaymentIntent because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be confirmed: ${ALLOWED_FROM.confirm.join(', ')}.`,
  capture: ({ status }) =>
    `This PaymentIntent could not be captured because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be captured: ${ALLOWED_FROM.capture.join(', ')}.`,
  cancel: ({ status }) =>
    `You cannot cancel this PaymentIntent because it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be canceled: ${ALLOWED_FROM.cancel.join(', ')}, processing.`,
};
