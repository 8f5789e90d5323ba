import { type Cause } from '../http/call.js';
import { invalidParam, noSuch } from '../http/errors.js';
import { shapeFaults } from '../schema/shape.js';
import { type Collection, type Stored } from '../store/collection.js';
import { type World } from '../world.js';

/** Overwrites fields of any object, as nothing in the API could: for tests that need Stripe to disagree. */
export function editObject(world: World, id: string, changes: object, cause: Cause): object {
  for (const [collection, event] of editable(world)) {
    const before = collection.get(id);
    if (before === undefined) continue;
    const wanted = { ...before, ...changes, id };
    checkShape(wanted);
    const after = collection.replace(wanted);
    if (event !== undefined) world.events.emit(event, after, cause, before);
    return after;
  }
  throw noSuch('object', id, 'id');
}

/** An object may be made wrong, but not into what no reader could understand: its fields keep the types that Stripe describes. */
function checkShape(object: object): void {
  const [fault] = shapeFaults(object, String((object as { object?: unknown }).object));
  if (fault !== undefined) throw invalidParam(`Stripe could not show this object: ${fault.slice(0, 200)}`, 'changes');
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
