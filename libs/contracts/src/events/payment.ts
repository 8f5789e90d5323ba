import { defineEvent } from '../envelope.js';
import { exampleDispute, examplePaymentSnapshot, PaymentSnapshot, type PaymentStatus } from '../payment.js';

/** Each fact of a payment carries the whole payment as it is after the fact. */
export const PAYMENT_FACTS = {
  created: 'A payment was accepted; its PaymentIntent may not exist yet.',
  requires_payment_method: 'The last attempt was declined, or no payment method was given; it waits for a confirm.',
  requires_action: 'The payer must act (3-D Secure).',
  processing: 'A delayed payment method is on its way.',
  authorized: 'The amount is held and waits for a capture. Told again when another amount is held.',
  succeeded: 'The money was captured. What a checkout sold is fulfilled from the facts of the checkout: this may be money on its way back.',
  canceled: 'The payment was canceled; nothing was or will be captured.',
  failed: 'The payment ended without success.',
  unknown: 'A call went out and no answer is certain yet.',
  refund_updated: 'A refund was requested, or its status changed.',
  dispute_opened: "The customer's bank disputes the payment: an inquiry or a chargeback.",
  dispute_updated: 'A dispute changed: evidence went out, an inquiry became a chargeback, or its figures are others.',
  dispute_funds_withdrawn: 'Money was taken for a dispute.',
  dispute_funds_reinstated: 'Money that was taken for a dispute came back.',
  dispute_closed: 'A dispute is over: won, lost, prevented, or an inquiry that was closed.',
} as const;
export type PaymentFact = keyof typeof PAYMENT_FACTS;

export const paymentSubject = (fact: PaymentFact): string => `payments.events.payment.${fact}.v1`;

export const paymentEvents = (Object.keys(PAYMENT_FACTS) as PaymentFact[]).map((fact) =>
  defineEvent({
    subject: paymentSubject(fact),
    version: 1,
    doc: PAYMENT_FACTS[fact],
    data: PaymentSnapshot,
    example: exampleOf(fact),
  }),
);

type DisputeFact = Extract<PaymentFact, `dispute_${string}`>;

function isOfDispute(fact: PaymentFact): fact is DisputeFact {
  return fact.startsWith('dispute_');
}

function exampleOf(fact: PaymentFact): PaymentSnapshot {
  const status = exampleStatus(fact);
  const paid_at = status === 'succeeded' ? examplePaymentSnapshot.paid_at : null;
  return { ...examplePaymentSnapshot, status, paid_at, disputes: isOfDispute(fact) ? [exampleDispute] : [] };
}

function exampleStatus(fact: PaymentFact): PaymentStatus {
  if (fact === 'created') return 'unknown';
  if (fact === 'refund_updated' || isOfDispute(fact)) return 'succeeded';
  return fact;
}
