import { type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { type Product } from './product.js';

const PLAIN = [
  'description',
  'images',
  'marketing_features',
  'shippable',
  'statement_descriptor',
  'tax_code',
  'unit_label',
  'url',
] as const;

/** The fields that a create or update request sets. */
export function productFields(params: Params, before: Metadata): Partial<Product> {
  const { name } = params as { name?: string | null };
  if (name === null || name?.trim() === '') throw invalidParam('You passed an empty string for name.', 'name', 'parameter_invalid_empty');
  const plain = Object.fromEntries(PLAIN.filter((field) => params[field] !== undefined).map((field) => [field, params[field]]));
  return {
    ...plain,
    ...(name !== undefined && { name }),
    ...(params['active'] !== undefined && { active: params['active'] as boolean }),
    metadata: mergeMetadata(before, params['metadata'] as Metadata | null | undefined),
  };
}

/** A new product with `product.created`. The caller may choose the id; a taken one is refused. Inline products are inactive. */
export function newProduct(world: World, params: Params, cause: Cause, inline = false): Product {
  const id = (params['id'] as string | undefined) ?? world.ids.next('prod');
  if (world.products.get(id) !== undefined) throw refused(`Product already exists.`, 'resource_already_exists', { param: 'id' });
  const now = world.clock.nowSeconds();
  const product = world.products.insert({
    id,
    object: 'product',
    active: !inline,
    created: now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    name: '',
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: (params['type'] as Product['type'] | undefined) ?? 'service',
    unit_label: null,
    updated: now,
    url: null,
    ...productFields(params, {}),
  } as Product);
  world.events.emit('product.created', product, cause);
  return product;
}
