import { type CheckoutSession } from './checkout/session.js';
import { orderOf } from './checkout/find.js';
import { type World } from './world.js';

/** The finders of `expand` for the catalogue and what is sold from it. */
export function billingFinders(world: World): Readonly<Record<string, (id: string) => object | undefined>> {
  return {
    product: (id) => world.products.get(id),
    price: (id) => world.prices.get(id) ?? world.inlinePrices.get(id),
  };
}

/** The fields of these objects that show only when asked for. */
export function billingIncludable(world: World, owner: { object?: string; id: string }, field: string): unknown {
  if (owner.object === 'price' && field === 'tiers') return world.priceTiers.get(owner.id)?.tiers;
  if (owner.object === 'checkout.session' && field === 'line_items') {
    const { items } = orderOf(world, owner as CheckoutSession);
    return { object: 'list', data: items, has_more: false, url: `/v1/checkout/sessions/${owner.id}/line_items` };
  }
  return undefined;
}
