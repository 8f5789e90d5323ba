import { type Cause } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { checkedCurrency } from '../money/amounts.js';
import { newProduct } from '../products/create.js';
import { activeProduct } from '../products/find.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { type World } from '../world.js';
import { wholeOrNull } from './decimal.js';
import { claimLookupKey } from './lookup-key.js';
import { planOf } from './plan.js';
import { type Price } from './price.js';
import { type RecurringParams, readRecurring } from './read-recurring.js';
import { readMoney, readTiers } from './read-tiers.js';

/** A price of the catalogue, with `price.created` (and `plan.created` when it recurs). `path` is where the parameters stand. */
export function newPrice(world: World, params: Params, cause: Cause, path = ''): Price {
  return insertPrice(world, params, cause, path, false);
}

/**
 * The price of `price_data`: bought once at the spot, therefore inactive and in no list. Its product is named or made on the way,
 * inactive too.
 */
export function newInlinePrice(world: World, params: Params, cause: Cause, path: string): Price {
  return insertPrice(world, params, cause, path, true);
}

function insertPrice(world: World, params: Params, cause: Cause, path: string, inline: boolean): Price {
  const at = (name: string): string => (path === '' ? name : `${path}[${name}]`);
  const currency = checkedCurrency(params['currency'] as string);
  const tiers = readTiers(params);
  const unit = readMoney(
    params['unit_amount'] as number | undefined,
    params['unit_amount_decimal'] as string | undefined,
    at('unit_amount'),
  );
  if (unit === null && tiers === undefined)
    throw invalidParam(`Missing required param: ${at('unit_amount')}.`, at('unit_amount'), 'parameter_missing');
  if (unit !== null && tiers !== undefined)
    throw invalidParam('You may not specify `unit_amount` when `billing_scheme` is `tiered`.', at('unit_amount'));
  const recurring =
    params['recurring'] === undefined ? null : readRecurring(world, params['recurring'] as RecurringParams, at('recurring'));
  const metadata = mergeMetadata({}, params['metadata'] as Metadata | undefined);
  const product = productOf(world, params, cause, path, inline);
  const lookupKey = claimLookupKey(world, params, cause);
  const price: Price = {
    id: world.ids.next('price'),
    object: 'price',
    active: inline ? false : ((params['active'] as boolean | undefined) ?? true),
    billing_scheme: tiers === undefined ? 'per_unit' : 'tiered',
    created: world.clock.nowSeconds(),
    currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: lookupKey,
    metadata,
    nickname: (params['nickname'] as string | null | undefined) ?? null,
    product,
    recurring,
    tax_behavior: (params['tax_behavior'] as string | undefined) ?? 'unspecified',
    tiers_mode: tiers === undefined ? null : (params['tiers_mode'] as 'graduated' | 'volume'),
    transform_quantity: (params['transform_quantity'] as Price['transform_quantity'] | undefined) ?? null,
    type: recurring === null ? 'one_time' : 'recurring',
    unit_amount: unit === null ? null : wholeOrNull(unit),
    unit_amount_decimal: unit,
  };
  checkTransform(price, at('transform_quantity'));
  if (tiers !== undefined) world.priceTiers.insert({ id: price.id, tiers });
  (inline ? world.inlinePrices : world.prices).insert(price);
  world.events.emit('price.created', price, cause);
  if (recurring !== null) world.events.emit('plan.created', planOf(price), cause);
  return price;
}

function productOf(world: World, params: Params, cause: Cause, path: string, inline: boolean): string {
  const at = (name: string): string => (path === '' ? name : `${path}[${name}]`);
  const named = params['product'] as string | undefined;
  const data = params['product_data'] as Params | undefined;
  if (named !== undefined && data !== undefined) {
    throw invalidParam(
      `You may only specify one of these parameters: ${at('product')}, ${at('product_data')}.`,
      at('product_data'),
      'parameters_exclusive',
    );
  }
  if (data !== undefined) return newProduct(world, data, cause, inline).id;
  if (named === undefined)
    throw invalidParam(`You must specify either \`${at('product')}\` or \`${at('product_data')}\`.`, at('product'), 'parameter_missing');
  return activeProduct(world, named, at('product')).id;
}

function checkTransform({ transform_quantity: transform, billing_scheme: scheme }: Price, path: string): void {
  if (transform === null) return;
  if (scheme === 'tiered') throw invalidParam('You may not specify `transform_quantity` when `billing_scheme` is `tiered`.', path);
  if (transform.divide_by < 1)
    throw invalidParam('This value must be greater than or equal to 1.', `${path}[divide_by]`, 'parameter_invalid_integer');
}
