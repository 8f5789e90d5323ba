import { invalidParam, noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Product } from './product.js';

/** The product of a path id (404) or of a parameter (400). */
export function productById(world: World, id: string, param = 'id'): Product {
  const product = world.products.get(id);
  if (product === undefined) throw noSuch('product', id, param);
  return product;
}

/** A product that new prices may be made for. */
export function activeProduct(world: World, id: string, param: string): Product {
  const product = productById(world, id, param);
  if (!product.active)
    throw invalidParam(`The product ${id} is marked as inactive, and thus no new prices can be added to it.`, param, 'product_inactive');
  return product;
}
