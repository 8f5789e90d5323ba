import { type CheckoutSnapshot } from '@tidegate/contracts/checkout';
import { checkoutSubject } from '@tidegate/contracts/events/checkout';
import { type Occurred } from './checkout.events.js';
import { evolve } from './checkout.evolve.js';
import { factOf } from './checkout.facts.js';
import { type Checkout, type CheckoutState, lateOf, paymentStatusOf, sessionOf, statusOf } from './checkout.state.js';

/** One fact to be published: its subject, the count of the checkout's facts, and the checkout as it is after it. */
export interface PublishedFact {
  subject: string;
  aggregateVersion: number;
  at: string;
  data: CheckoutSnapshot;
}

/** From private events to the contract, oldest first. The only road to the outside. */
export function publishedBy(before: CheckoutState, events: readonly Occurred[]): PublishedFact[] {
  const published: PublishedFact[] = [];
  let state = before;
  for (const event of events) {
    const after = evolve(state, event);
    const fact = factOf(event);
    if (fact !== null)
      published.push({ subject: checkoutSubject(fact), aggregateVersion: after.published, at: event.at, data: snapshotOf(after) });
    state = after;
  }
  return published;
}

/** Without personal data, and without the address of the page. */
export function snapshotOf(checkout: Checkout): CheckoutSnapshot {
  const { terms } = checkout;
  return {
    checkout_id: terms.checkout_id,
    status: statusOf(checkout),
    payment_id: checkout.payment_id,
    payment_status: paymentStatusOf(checkout),
    late_success: lateOf(checkout),
    amount: terms.amount,
    currency: terms.currency,
    customer: terms.customer,
    stripe_checkout_session: sessionOf(checkout),
    stripe_payment_intent: checkout.payment_intent,
    window_ends_at: checkout.window_ends_at,
    livemode: terms.livemode,
    created_at: checkout.created_at,
    updated_at: checkout.updated_at,
  };
}
