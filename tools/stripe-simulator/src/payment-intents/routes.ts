import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { searchPage } from '../search/search.js';
import { cancelIntent } from './cancel.js';
import { captureIntent } from './capture.js';
import { confirmIntent } from './confirm.js';
import { createIntent } from './create.js';
import { intentById } from './find.js';
import { mustBeCancellableDirectly } from './owned.js';
import { updateIntent } from './update.js';

const PATH = '/v1/payment_intents';
const CONNECT = ['on_behalf_of', 'transfer_data', 'customer_account'];
const DETAILS = ['amount_details', 'hooks', 'payment_details', 'payment_method_configuration', 'payment_method_options'];
const METHODS = ['confirmation_token', 'payment_method_data'];
const MANDATES = ['mandate', 'mandate_data'];

const SEARCHABLE = {
  amount: 'number',
  created: 'number',
  currency: 'token',
  customer: 'token',
  metadata: 'metadata',
  status: 'token',
} as const;

export const paymentIntentRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'payment_intent', unsupported: [...CONNECT, ...DETAILS, ...METHODS], handle: createIntent },
  {
    operation: `GET ${PATH}`,
    returns: 'list<payment_intent>',
    unsupported: ['customer_account'],
    handle: (world, call) => listPage(call, world.paymentIntents, { noun: 'payment_intent', url: PATH, filters: ['customer'] }),
  },
  {
    operation: `GET ${PATH}/search`,
    returns: 'search_result<payment_intent>',
    handle: (world, call) => searchPage(call, world.paymentIntents, 'payment_intents', SEARCHABLE),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'payment_intent', handle: (world, { id }) => intentById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'payment_intent',
    unsupported: [
      ...CONNECT,
      ...DETAILS,
      ...METHODS,
      ...MANDATES,
      'allowed_payment_method_types',
      'excluded_payment_method_types',
      'application_fee_amount',
    ],
    handle: updateIntent,
  },
  {
    operation: `POST ${PATH}/{id}/confirm`,
    returns: 'payment_intent',
    unsupported: [...DETAILS, ...METHODS, 'allowed_payment_method_types', 'excluded_payment_method_types', 'amount_to_confirm'],
    handle: (world, { id, params, cause }) => confirmIntent(world, intentById(world, id), params, cause),
  },
  {
    operation: `POST ${PATH}/{id}/capture`,
    returns: 'payment_intent',
    unsupported: [...CONNECT, ...DETAILS, 'application_fee_amount'],
    handle: captureIntent,
  },
  {
    operation: `POST ${PATH}/{id}/cancel`,
    returns: 'payment_intent',
    handle: (world, { id, params, cause }) =>
      cancelIntent(
        world,
        mustBeCancellableDirectly(world, intentById(world, id)),
        (params['cancellation_reason'] as string | undefined) ?? null,
        cause,
      ),
  },
];
