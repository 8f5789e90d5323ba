import { invalidParam, noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Price } from './price.js';

/** The price of a path id (404) or of a parameter (400); inline prices included. */
export function priceById(world: World, id: string, param = 'id'): Price {
  const price = world.prices.get(id) ?? world.inlinePrices.get(id);
  if (price === undefined) throw noSuch('price', id, param);
  return price;
}

/** A price that something new may be sold at. */
export function activePrice(world: World, id: string, param: string): Price {
  const price = priceById(world, id, param);
  if (!price.active) throw invalidParam('The price specified is inactive. This field only accepts active prices.', param);
  return price;
}
