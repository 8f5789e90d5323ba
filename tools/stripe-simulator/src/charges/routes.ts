import { noSuch } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { searchPage } from '../search/search.js';
import { type World } from '../world.js';
import { type Charge } from './charge.js';

const PATH = '/v1/charges';
const PLAIN = ['description', 'receipt_email', 'shipping', 'transfer_group', 'fraud_details'];

const SEARCHABLE = {
  amount: 'number',
  'billing_details.address.postal_code': 'token',
  created: 'number',
  currency: 'token',
  customer: 'token',
  disputed: 'token',
  metadata: 'metadata',
  'payment_method_details.card.brand': 'token',
  'payment_method_details.card.exp_month': 'number',
  'payment_method_details.card.exp_year': 'number',
  'payment_method_details.card.fingerprint': 'token',
  'payment_method_details.card.last4': 'token',
  refunded: 'token',
  status: 'token',
} as const;

export const chargeRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'list<charge>',
    handle: (world, call) =>
      listPage(call, world.charges, { noun: 'charge', url: PATH, filters: ['payment_intent', 'customer', 'transfer_group'] }),
  },
  {
    operation: `GET ${PATH}/search`,
    returns: 'search_result<charge>',
    handle: (world, call) => searchPage(call, world.charges, 'charges', SEARCHABLE),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'charge', handle: (world, { id }) => chargeById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'charge',
    unsupported: ['customer'],
    handle: (world, { id, params, cause }) => {
      const before = chargeById(world, id);
      const plain = Object.fromEntries(
        PLAIN.filter((name) => params[name] !== undefined).map((name) => [
          name,
          name === 'shipping' ? shownAs('charge', name, params[name]) : params[name],
        ]),
      );
      const metadata = mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined);
      const after = world.charges.replace({ ...before, ...plain, metadata });
      world.events.emit('charge.updated', after, cause, before);
      return after;
    },
  },
];

/** The charge of a path id (404) or of a parameter (400). */
export function chargeById(world: World, id: string, param = 'id'): Charge {
  const charge = world.charges.get(id);
  if (charge === undefined) throw noSuch('charge', id, param);
  return charge;
}
