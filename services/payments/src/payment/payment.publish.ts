import { type PaymentFact, paymentSubject } from '@tidegate/contracts/events/payment';
import { type PaymentSnapshot } from '@tidegate/contracts/payment';
import { factsBetween } from './facts.decide.js';
import { type Occurred } from './payment.events.js';
import { evolve } from './payment.evolve.js';
import {
  cancellationReasonOf,
  capturedOf,
  failureOf,
  paidAtOf,
  type Payment,
  type PaymentState,
  refundedOf,
  refundStatusOf,
  statusOf,
} from './payment.state.js';

/** One fact to be published: its subject, the count of the payment's facts, and the payment as it is after it. */
export interface PublishedFact {
  subject: string;
  aggregateVersion: number;
  at: string;
  data: PaymentSnapshot;
}

/** From private events to the contract: every fact they amount to, oldest first. The only road to the outside. */
export function publishedBy(before: PaymentState, events: readonly Occurred[]): PublishedFact[] {
  const published: PublishedFact[] = [];
  let state = before;
  for (const event of events) {
    const after = evolve(state, event) as Payment;
    const facts = factsBetween(state, after);
    facts.forEach((fact, index) => published.push(factOf(fact, after, after.published - facts.length + index + 1, event.at)));
    state = after;
  }
  return published;
}

const factOf = (fact: PaymentFact, payment: Payment, aggregateVersion: number, at: string): PublishedFact => ({
  subject: paymentSubject(fact),
  aggregateVersion,
  at,
  data: snapshotOf(payment),
});

/** Without personal data, and without the client_secret, which no event ever holds. */
export function snapshotOf(payment: Payment): PaymentSnapshot {
  const { terms } = payment;
  return {
    payment_id: terms.payment_id,
    status: statusOf(payment),
    amount: terms.amount,
    amount_captured: capturedOf(payment),
    amount_refunded: refundedOf(payment),
    currency: terms.currency,
    capture_method: terms.capture_method,
    stripe_payment_intent: payment.intent_id,
    stripe_charge: payment.charge,
    card: payment.card,
    failure: failureOf(payment),
    cancellation_reason: cancellationReasonOf(payment),
    refunds: payment.refunds.map((r) => ({
      id: r.id,
      status: refundStatusOf(r),
      amount: r.amount,
      reason: r.reason,
      stripe_refund: r.stripe_refund,
    })),
    disputes: payment.disputes.map(({ movements: _, ...dispute }) => dispute),
    origin: terms.origin,
    livemode: terms.livemode,
    created_at: payment.created_at,
    paid_at: paidAtOf(payment),
    updated_at: payment.updated_at,
  };
}
