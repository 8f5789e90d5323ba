import { type Cause } from '../http/call.js';
import { changeInvoice } from '../invoices/change.js';
import { voidInvoice } from '../invoices/end.js';
import { subscriptionOf } from '../invoices/invoice.js';
import { type World } from '../world.js';
import { type CancellationDetails, type Subscription } from './subscription.js';

/** Ends a subscription now. Its invoices stay, but are no longer collected by themselves; an unpaid first one is void. */
export function endSubscription(
  world: World,
  subscription: Subscription,
  details: Partial<CancellationDetails>,
  cause: Cause,
): Subscription {
  const now = world.clock.nowSeconds();
  const incomplete = subscription.status === 'incomplete';
  const ended = world.subscriptions.replace({
    ...subscription,
    status: incomplete ? 'incomplete_expired' : 'canceled',
    canceled_at: subscription.canceled_at ?? now,
    ended_at: now,
    cancellation_details: { ...subscription.cancellation_details, ...details },
  });
  stopCollecting(world, subscription, cause);
  world.events.emit('customer.subscription.deleted', ended, cause);
  return ended;
}

/** A customer who goes takes his subscriptions with him. */
export function endAllOf(world: World, customer: string, cause: Cause): void {
  for (const subscription of world.subscriptions.by('customer', customer)) {
    if (subscription.ended_at === null) endSubscription(world, subscription, {}, cause);
  }
}

/** Nobody paid the first invoice in time, or somebody made it void: it is void and the subscription is over. */
export function expireIncomplete(world: World, before: Subscription, cause: Cause): Subscription {
  const over = world.subscriptions.replace({ ...before, status: 'incomplete_expired', ended_at: world.clock.nowSeconds() });
  stopCollecting(world, before, cause);
  world.events.emit('customer.subscription.updated', over, cause, before);
  return over;
}

function stopCollecting(world: World, subscription: Subscription, cause: Cause): void {
  const its = world.invoices.by('customer', subscription.customer).filter((invoice) => subscriptionOf(invoice) === subscription.id);
  for (const invoice of its) {
    if (invoice.status === 'open' && subscription.status === 'incomplete') voidInvoice(world, invoice, cause);
    else if (invoice.auto_advance && (invoice.status === 'open' || invoice.status === 'draft')) {
      changeInvoice(world, invoice, { auto_advance: false, automatically_finalizes_at: null, next_payment_attempt: null }, cause);
    }
  }
}
