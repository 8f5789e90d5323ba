import { previousAttributes } from '../events/event.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Subscription } from './subscription.js';

/** Stores a changed subscription and tells it with `customer.subscription.updated`; without a difference it stays quiet. */
export function changeSubscription(world: World, before: Subscription, changes: Partial<Subscription>, cause: Cause): Subscription {
  const after = world.subscriptions.replace({ ...before, ...changes } as Subscription);
  if (Object.keys(previousAttributes(before, after)).length > 0) world.events.emit('customer.subscription.updated', after, cause, before);
  return after;
}
