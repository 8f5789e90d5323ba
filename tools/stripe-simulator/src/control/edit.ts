import { type Cause } from '../http/call.js';
import { noSuch } from '../http/errors.js';
import { type Collection, type Stored } from '../store/collection.js';
import { type World } from '../world.js';

/** Overwrites fields of any object, as nothing in the API could: for tests that need Stripe to disagree. */
export function editObject(world: World, id: string, changes: object, cause: Cause): object {
  for (const [collection, event] of editable(world)) {
    const before = collection.get(id);
    if (before === undefined) continue;
    const after = collection.replace({ ...before, ...changes, id });
    if (event !== undefined) world.events.emit(event, after, cause, before);
    return after;
  }
  throw noSuch('object', id, 'id');
}

/** Intents have no `updated` event. */
function editable(world: World): [Collection<Stored>, string | undefined][] {
  const all: [unknown, string | undefined][] = [
    [world.paymentIntents, undefined],
    [world.charges, 'charge.updated'],
    [world.refunds, 'refund.updated'],
    [world.customers, 'customer.updated'],
    [world.balanceTransactions, undefined],
    [world.disputes, 'charge.dispute.updated'],
    [world.payouts, 'payout.updated'],
    [world.setupIntents, undefined],
    [world.paymentMethods, 'payment_method.updated'],
    [world.products, 'product.updated'],
    [world.prices, 'price.updated'],
    [world.checkoutSessions, undefined],
    [world.subscriptions, 'customer.subscription.updated'],
    [world.invoices, 'invoice.updated'],
  ];
  return all as [Collection<Stored>, string | undefined][];
}
