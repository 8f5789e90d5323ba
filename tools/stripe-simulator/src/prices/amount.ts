import { type World } from '../world.js';
import { decimalTimes } from './decimal.js';
import { type Price, type Tier } from './price.js';

/** What a quantity costs at a price, in minor units: per unit, graduated or volume tiers, after `transform_quantity`. */
export function priceAmount(world: World, price: Price, quantity: number): number {
  const units = transformed(price, quantity);
  if (price.billing_scheme === 'per_unit') return decimalTimes(price.unit_amount_decimal ?? '0', units);
  const tiers = world.priceTiers.get(price.id)?.tiers ?? [];
  return price.tiers_mode === 'volume' ? volumeAmount(tiers, units) : graduatedAmount(tiers, units);
}

function transformed({ transform_quantity: transform }: Price, quantity: number): number {
  if (transform === null) return quantity;
  const packages = quantity / transform.divide_by;
  return transform.round === 'up' ? Math.ceil(packages) : Math.floor(packages);
}

/** All units cost what the tier says that the whole quantity falls into. */
function volumeAmount(tiers: readonly Tier[], units: number): number {
  const tier = tiers.find(({ up_to: upTo }) => upTo === null || units <= upTo);
  return tier === undefined ? 0 : tierAmount(tier, units);
}

/** Each tier prices the units within it. */
function graduatedAmount(tiers: readonly Tier[], units: number): number {
  let total = 0;
  let from = 0;
  for (const tier of tiers) {
    const to = tier.up_to ?? Infinity;
    const within = Math.min(units, to) - from;
    if (within <= 0 && !(from === 0 && units === 0)) break;
    total += tierAmount(tier, Math.max(within, 0));
    from = to;
  }
  return total;
}

function tierAmount(tier: Tier, units: number): number {
  return decimalTimes(tier.unit_amount_decimal ?? '0', units) + decimalTimes(tier.flat_amount_decimal ?? '0', 1);
}
