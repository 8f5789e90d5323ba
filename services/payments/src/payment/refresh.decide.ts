import { type Dispute as StripeDispute, type Intent, type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { followDispute, seenDispute } from './dispute.decide.js';
import { follow } from './intent.decide.js';
import { type PaymentEvent } from './payment.events.js';
import { type Payment } from './payment.state.js';
import { followedBy, hasFailed, observeRefund, overdraws } from './refund.decide.js';

/**
 * What an intent and the complete lists of its refunds and disputes add to what we know, as one decision. Null when more would be given back than was captured: the list
 * is behind, so ask again later. `foreignId` names refunds that only Stripe knows of.
 */
export function decideRefresh(
  payment: Payment,
  intent: Intent,
  { refunds, disputes }: { refunds: readonly StripeRefund[]; disputes: readonly StripeDispute[] },
  foreignId: (stripeRefund: string) => string,
): PaymentEvent[] | null {
  if (payment.pending) return [];
  // Failed ones first: what they free may have been given back again by another.
  const inOrder = refunds.toSorted((a, b) => Number(hasFailed(b)) - Number(hasFailed(a)));
  const followed = follow(payment, intent, 'answer');
  const captured = followedBy(payment, followed);
  const events = [
    ...followed,
    ...inOrder.flatMap((refund) => observeRefund(captured, refund, foreignId(refund.id))),
    ...disputes.toSorted((a, b) => a.created - b.created).flatMap((dispute) => followDispute(payment, seenDispute(dispute))),
  ];
  return overdraws(payment, events) ? null : events;
}
