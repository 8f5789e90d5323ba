import { type Cause } from '../http/call.js';
import { addInvoiceItem } from '../invoice-items/create.js';
import { pricingOf, productName } from '../invoices/lines.js';
import { granularity } from '../money/currencies.js';
import { priceAmount } from '../prices/amount.js';
import { type World } from '../world.js';
import { type Subscription, type SubscriptionItem, periodOf } from './subscription.js';

/**
 * Credits the unused and bills the remaining time of items that change within a period, by the second, as invoice items that wait for
 * the next invoice. Metered items are paid afterwards and need none.
 */
export function prorate(world: World, before: Subscription, after: readonly SubscriptionItem[], cause: Cause): void {
  const now = world.clock.nowSeconds();
  const { start, end } = periodOf(before);
  const share = Math.max(0, end - now) / (end - start);
  const date = new Date(now * 1000).toUTCString().slice(5, 16);
  for (const old of before.items.data) {
    const same = after.find(({ id }) => id === old.id);
    if (same?.price.id === old.price.id && same.quantity === old.quantity) continue;
    add(world, before, old, -share, `Unused time on ${named(world, old)} after ${date}`, cause);
  }
  for (const item of after) {
    const old = before.items.data.find(({ id }) => id === item.id);
    if (old?.price.id === item.price.id && old.quantity === item.quantity) continue;
    add(world, before, item, share, `Remaining time on ${named(world, item)} after ${date}`, cause);
  }
}

/** The unused rest of everything, for a subscription that ends early. */
export function creditUnused(world: World, subscription: Subscription, cause: Cause): void {
  prorate(world, subscription, [], cause);
}

function named(world: World, { price, quantity = 1 }: SubscriptionItem): string {
  return `${quantity === 1 ? '' : `${quantity} × `}${productName(world, price)}`;
}

function add(world: World, subscription: Subscription, item: SubscriptionItem, share: number, description: string, cause: Cause): void {
  if (item.quantity === undefined) return;
  const step = granularity(item.price.currency);
  addInvoiceItem(
    world,
    {
      amount: Math.round((priceAmount(world, item.price, item.quantity) * share) / step) * step,
      currency: item.price.currency,
      customer: subscription.customer,
      description,
      invoice: null,
      metadata: {},
      period: { start: world.clock.nowSeconds(), end: periodOf(subscription).end },
      pricing: pricingOf(item.price),
      proration: true,
      quantity: item.quantity,
      subscription: subscription.id,
    },
    cause,
  );
}
