import { type PaymentFact } from '@tidegate/contracts/events/payment';
import { type Payment, type PaymentState, refundStatusOf, statusOf } from './payment.state.js';

/** The facts to publish when a payment goes from one state to the next: its birth, a change of status, a change of a refund. */
export function factsBetween(before: PaymentState, after: Payment): PaymentFact[] {
  if (before.kind === 'none') return ['created'];
  const facts: PaymentFact[] = [];
  const status = statusOf(after);
  if (status !== statusOf(before) && status !== 'queued') facts.push(status);
  if (refundsOf(before) !== refundsOf(after)) facts.push('refund_updated');
  return facts;
}

const refundsOf = (payment: Payment): string => payment.refunds.map((refund) => `${refund.id}:${refundStatusOf(refund)}`).join();
