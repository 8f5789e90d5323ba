import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { draftBill } from './bill.js';
import { changeSubscription } from './change.js';
import { itemList } from './items.js';
import { nextBoundary } from './periods.js';
import { planNext } from './schedule.js';
import { type Subscription, periodOf } from './subscription.js';

/**
 * A new period begins: a draft invoice for it, and for the usage of the old one, which finalizes itself later. An unpaid subscription
 * keeps its drafts.
 */
export function renew(world: World, subscription: Subscription, cause: Cause): Subscription {
  const old = periodOf(subscription);
  const period = nextPeriod(subscription, old.end);
  const advance = subscription.status === 'unpaid' ? 'never' : 'later';
  const moved = { ...subscription, items: withPeriod(subscription, period) };
  const invoice = draftBill(world, moved, { reason: 'subscription_cycle', advance, ahead: period, behind: old }, cause);
  const status = subscription.status === 'trialing' ? 'active' : subscription.status;
  const renewed = changeSubscription(world, subscription, { items: moved.items, latest_invoice: invoice.id, status }, cause);
  planNext(world, renewed);
  return renewed;
}

export function nextPeriod(subscription: Subscription, start: number): { start: number; end: number } {
  const recurring = subscription.items.data[0]?.price.recurring;
  if (!recurring) throw new Error(`Bug: ${subscription.id} does not recur`);
  return { start, end: nextBoundary(subscription.billing_cycle_anchor, recurring, start) };
}

export function withPeriod(subscription: Subscription, period: { start: number; end: number }): Subscription['items'] {
  return itemList(
    subscription.id,
    subscription.items.data.map((item) => ({ ...item, current_period_start: period.start, current_period_end: period.end })),
  );
}
