import { type Call } from '../http/call.js';
import { refused } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { newPrice } from '../prices/create.js';
import { priceById } from '../prices/find.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { newProduct, productFields } from './create.js';
import { productById } from './find.js';
import { type Product } from './product.js';

const PATH = '/v1/products';
const UNSUPPORTED = ['package_dimensions', 'tax_details'];

export const productRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'product', unsupported: UNSUPPORTED, handle: createProduct },
  {
    operation: `GET ${PATH}`,
    returns: 'list<product>',
    handle: (world, call) => {
      const ids = call.params['ids'] as string[] | undefined;
      return listPage(call, world.products, {
        noun: 'product',
        url: PATH,
        filters: ['active', 'shippable', 'type', 'url'],
        ...(ids && { matches: ({ id }) => ids.includes(id) }),
      });
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'product', handle: (world, { id }) => productById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'product', unsupported: UNSUPPORTED, handle: updateProduct },
  { operation: `DELETE ${PATH}/{id}`, returns: 'deleted_product', handle: deleteProduct },
];

function createProduct(world: World, { params, cause }: Call): Product {
  const product = newProduct(world, params, cause);
  const data = params['default_price_data'] as Params | undefined;
  if (data === undefined) return product;
  const price = newPrice(world, { ...data, product: product.id }, cause, 'default_price_data');
  return world.products.replace({ ...product, default_price: price.id });
}

function updateProduct(world: World, { id, params, cause }: Call): Product {
  const before = productById(world, id);
  const asked = params['default_price'] as string | null | undefined;
  if (typeof asked === 'string' && priceById(world, asked, 'default_price').product !== id) {
    throw refused(`The price ${asked} does not belong to the product ${id}.`, undefined, { param: 'default_price' });
  }
  const after = world.products.replace({
    ...before,
    ...productFields(params, before.metadata),
    ...(asked !== undefined && { default_price: asked }),
    updated: world.clock.nowSeconds(),
  });
  world.events.emit('product.updated', after, cause, before);
  return after;
}

/** Only a product without prices may go; others are archived with `active=false`. */
function deleteProduct(world: World, { id, cause }: Call): object {
  const product = productById(world, id);
  if (world.prices.by('product', id).length + world.inlinePrices.by('product', id).length > 0) {
    throw refused('This product cannot be deleted because it has one or more user-created prices.', undefined);
  }
  world.products.remove(id);
  world.events.emit('product.deleted', product, cause);
  return { id, object: 'product', deleted: true };
}
