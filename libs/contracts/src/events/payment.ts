import { defineEvent } from '../envelope.js';
import { examplePaymentSnapshot, PaymentSnapshot, type PaymentStatus } from '../payment.js';

/** Each fact of a payment carries the whole payment as it is after the fact. */
export const PAYMENT_FACTS = {
  created: 'A payment was accepted; its PaymentIntent may not exist yet.',
  requires_payment_method: 'The last attempt was declined, or no payment method was given; it waits for a confirm.',
  requires_action: 'The payer must act (3-D Secure).',
  processing: 'A delayed payment method is on its way.',
  authorized: 'The amount is held and waits for a capture.',
  succeeded: 'The money was captured.',
  canceled: 'The payment was canceled; nothing was or will be captured.',
  failed: 'The payment ended without success.',
  unknown: 'A call went out and no answer is certain yet.',
  refund_updated: 'A refund was requested, or its status changed.',
} as const;
export type PaymentFact = keyof typeof PAYMENT_FACTS;

export const paymentSubject = (fact: PaymentFact): string => `payments.events.payment.${fact}.v1`;

export const paymentEvents = (Object.keys(PAYMENT_FACTS) as PaymentFact[]).map((fact) =>
  defineEvent({
    subject: paymentSubject(fact),
    version: 1,
    doc: PAYMENT_FACTS[fact],
    data: PaymentSnapshot,
    example: { ...examplePaymentSnapshot, status: exampleStatus(fact) },
  }),
);

function exampleStatus(fact: PaymentFact): PaymentStatus {
  if (fact === 'created') return 'unknown';
  if (fact === 'refund_updated') return 'succeeded';
  return fact;
}
