import { arrayPage } from '../http/array-page.js';
import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { UNSUPPORTED_AT_CREATION, createSession } from './create.js';
import { expireSession } from './expiry.js';
import { orderOf, sessionById } from './find.js';
import { paySession } from './pay.js';
import { type CheckoutSession } from './session.js';

const PATH = '/v1/checkout/sessions';
const PAGES = '/v1/payment_pages';

export const checkoutRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'checkout.session', unsupported: UNSUPPORTED_AT_CREATION, handle: createSession },
  {
    operation: `GET ${PATH}`,
    returns: 'list<checkout.session>',
    unsupported: ['customer_account', 'payment_link'],
    handle: (world, call) => {
      const email = (call.params['customer_details'] as { email: string } | undefined)?.email;
      return listPage(call, world.checkoutSessions, {
        noun: 'checkout.session',
        url: PATH,
        filters: ['customer', 'payment_intent', 'status', 'subscription'],
        ...(email !== undefined && { matches: ({ customer_details: details }) => details?.email === email }),
      });
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'checkout.session', handle: (world, { id }) => sessionById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'checkout.session',
    unsupported: ['collected_information', 'line_items', 'payment_intent_data', 'shipping_options'],
    handle: (world, { id, params }) => {
      const session = sessionById(world, id);
      return world.checkoutSessions.replace({
        ...session,
        metadata: mergeMetadata(session.metadata, params['metadata'] as Metadata | null | undefined),
      });
    },
  },
  {
    operation: `POST ${PATH}/{id}/expire`,
    returns: 'checkout.session',
    handle: (world, { id, cause }) => expireSession(world, sessionById(world, id), cause),
  },
  {
    operation: `GET ${PATH}/{id}/line_items`,
    returns: 'list<item>',
    handle: (world, call) => {
      const { items } = orderOf(world, sessionById(world, call.id));
      return arrayPage(call, items, { noun: 'item', url: `${PATH}/${call.id}/line_items` });
    },
  },
  {
    operation: `GET ${PAGES}/{id}`,
    returns: 'checkout.session',
    fields: {},
    handle: (world, { id }) => sessionById(world, id),
  },
  {
    operation: `POST ${PAGES}/{id}/confirm`,
    returns: 'checkout.session',
    fields: { payment_method: { t: 'string', opt: true }, expected_amount: { t: 'number', opt: true } },
    handle: confirmPage,
  },
];

/** Undocumented: how the Stripe CLI's fixtures pay a session. */
function confirmPage(world: World, { id, params, cause }: Call): CheckoutSession {
  const { payment_method: method, expected_amount: expected } = params as { payment_method?: string; expected_amount?: number };
  const { amount_total: total } = sessionById(world, id);
  if (expected !== undefined && expected !== total) {
    throw invalidParam(`The expected_amount ${expected} is not the amount of this session, ${total}.`, 'expected_amount');
  }
  return paySession(world, id, method === undefined ? {} : { payment_method: method }, cause);
}
