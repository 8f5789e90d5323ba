import type { PaymentIntentObject } from '@tidegate/contracts/events/stripe-event/payment-intent';
import { cardOf, commonOf } from './common.decide.js';
import { idOf, integer, type Json, record, text, words } from './read.decide.js';

/** A retrieved intent has its latest charge in it, and with it the card. */
export function normalizedPaymentIntent(intent: Json, fallbackId: string): PaymentIntentObject {
  const error = record(intent['last_payment_error']);
  const common = commonOf(intent, fallbackId);
  return {
    object: 'payment_intent',
    ...common,
    payment_intent: common.id,
    charge: idOf(intent['latest_charge']),
    amount: integer(intent['amount']),
    amount_captured: integer(intent['amount_received']),
    amount_capturable: integer(intent['amount_capturable']),
    currency: text(intent['currency']),
    capture_method: text(intent['capture_method']),
    cancellation_reason: text(intent['cancellation_reason']),
    failure: error && {
      code: text(error['code']) ?? text(error['type']) ?? 'unknown',
      decline_code: text(error['decline_code']),
      message: words(error['message']),
    },
    card: cardOf(intent['latest_charge']),
  };
}
