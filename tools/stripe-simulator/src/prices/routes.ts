import { type Call } from '../http/call.js';
import { type ListEnvelope, listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { newPrice } from './create.js';
import { priceById } from './find.js';
import { claimLookupKey } from './lookup-key.js';
import { type Price, type Recurring } from './price.js';

const PATH = '/v1/prices';

export const priceRoutes: readonly Route[] = [
  {
    operation: `POST ${PATH}`,
    returns: 'price',
    unsupported: ['currency_options', 'custom_unit_amount'],
    handle: (world, { params, cause }) => newPrice(world, params, cause),
  },
  { operation: `GET ${PATH}`, returns: 'list<price>', handle: listPrices },
  { operation: `GET ${PATH}/{id}`, returns: 'price', handle: (world, { id }) => priceById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'price', unsupported: ['currency_options'], handle: updatePrice },
];

/** Active prices unless `active=false`; never inline ones. */
function listPrices(world: World, call: Call): ListEnvelope<Price> {
  const {
    lookup_keys: keys,
    recurring,
    active,
  } = call.params as { lookup_keys?: string[]; recurring?: Partial<Recurring>; active?: boolean };
  const wanted = Object.entries(recurring ?? {});
  return listPage({ ...call, params: { ...call.params, active: active ?? true } }, world.prices, {
    noun: 'price',
    url: PATH,
    filters: ['active', 'currency', 'product', 'type'],
    matches: (price) =>
      (keys === undefined || keys.includes(price.lookup_key ?? '')) &&
      wanted.every(([name, value]) => price.recurring?.[name as keyof Recurring] === value),
  });
}

function updatePrice(world: World, { id, params, cause }: Call): Price {
  const before = priceById(world, id);
  const lookupKey = params['lookup_key'] === undefined ? before.lookup_key : claimLookupKey(world, params, cause, id);
  const after: Price = {
    ...before,
    lookup_key: lookupKey,
    metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
    ...(params['active'] !== undefined && { active: params['active'] as boolean }),
    ...(params['nickname'] !== undefined && { nickname: params['nickname'] as string | null }),
    ...(params['tax_behavior'] !== undefined && { tax_behavior: params['tax_behavior'] as string }),
  };
  (world.prices.get(id) === undefined ? world.inlinePrices : world.prices).replace(after);
  world.events.emit('price.updated', after, cause, before);
  return after;
}
