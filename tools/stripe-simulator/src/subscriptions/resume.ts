import { type Call } from '../http/call.js';
import { refused } from '../http/errors.js';
import { type World } from '../world.js';
import { collectBill, draftBill } from './bill.js';
import { changeSubscription } from './change.js';
import { mustAllow, subscriptionById } from './find.js';
import { checkTogether } from './items.js';
import { nextBoundary } from './periods.js';
import { withPeriod } from './renew.js';
import { planNext } from './schedule.js';
import { type Subscription } from './subscription.js';

/** `POST …/resume` of a subscription that a trial left paused: a new cycle from now on; it is active once its invoice is paid. */
export function resumeSubscription(world: World, { id, cause }: Call): Subscription {
  const before = subscriptionById(world, id);
  mustAllow('resume', before);
  if (before.collection_method !== 'charge_automatically')
    throw refused('You can only resume a subscription whose collection method is charge_automatically.', undefined);
  const now = world.clock.nowSeconds();
  const period = { start: now, end: nextBoundary(now, checkTogether(before.items.data), now) };
  const moved = { ...before, items: withPeriod(before, period) };
  const bill = draftBill(world, moved, { reason: 'subscription_update', advance: 'at_once', ahead: period }, cause);
  const changed = changeSubscription(world, before, { items: moved.items, billing_cycle_anchor: now, latest_invoice: bill.id }, cause);
  collectBill(world, bill, cause);
  const after = subscriptionById(world, id);
  planNext(world, changed);
  return after;
}
