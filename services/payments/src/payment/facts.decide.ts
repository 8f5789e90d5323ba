import { type PaymentFact } from '@tidegate/contracts/events/payment';
import { isClosed } from './dispute.decide.js';
import { type Dispute, type Payment, type PaymentState, refundStatusOf, statusOf } from './payment.state.js';

/** The facts to publish when a payment goes from one state to the next: its birth, a change of status, of what is held, of a refund, of a dispute. */
export function factsBetween(before: PaymentState, after: Payment): PaymentFact[] {
  if (before.kind === 'none') return ['created'];
  const facts: PaymentFact[] = [];
  const status = statusOf(after);
  if (status !== statusOf(before) && status !== 'queued') facts.push(status);
  if (status === statusOf(before) && heldOf(after) !== heldOf(before)) facts.push('authorized');
  if (refundsOf(before) !== refundsOf(after)) facts.push('refund_updated');
  for (const dispute of after.disputes)
    facts.push(
      ...disputeFacts(
        before.disputes.find((one) => one.id === dispute.id),
        dispute,
      ),
    );
  return facts;
}

function disputeFacts(before: Dispute | undefined, after: Dispute): PaymentFact[] {
  if (!before) return ['dispute_opened'];
  if (before === after) return [];
  if ((after.funds?.withdrawn ?? 0) > (before.funds?.withdrawn ?? 0)) return ['dispute_funds_withdrawn'];
  if ((after.funds?.reinstated ?? 0) > (before.funds?.reinstated ?? 0)) return ['dispute_funds_reinstated'];
  return [isClosed(after.status) && after.status !== before.status ? 'dispute_closed' : 'dispute_updated'];
}

/** Null while nothing is held, or nobody is told of it. */
const heldOf = (payment: Payment): number | null =>
  statusOf(payment) === 'authorized' && payment.lifecycle.status === 'authorized' ? payment.lifecycle.amount_capturable : null;

const refundsOf = (payment: Payment): string => payment.refunds.map((refund) => `${refund.id}:${refundStatusOf(refund)}`).join();
