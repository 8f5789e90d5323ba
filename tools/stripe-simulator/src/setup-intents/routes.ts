import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { cancelSetup, mustBeCancellableDirectly } from './cancel.js';
import { confirmSetup } from './confirm.js';
import { createSetup } from './create.js';
import { setupById } from './find.js';
import { updateSetup } from './update.js';

const PATH = '/v1/setup_intents';
const ATTEMPTS = '/v1/setup_attempts';
const METHODS = ['confirmation_token', 'payment_method_data', 'payment_method_options'];
const CONNECT = ['attach_to_self', 'customer_account', 'flow_directions', 'on_behalf_of', 'payment_method_configuration'];
const FILTERS = ['allowed_payment_method_types', 'excluded_payment_method_types'];

export const setupIntentRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'setup_intent', unsupported: [...METHODS, ...CONNECT, 'single_use'], handle: createSetup },
  {
    operation: `GET ${PATH}`,
    returns: 'list<setup_intent>',
    unsupported: ['attach_to_self', 'customer_account'],
    handle: (world, call) =>
      listPage(call, world.setupIntents, { noun: 'setupintent', url: PATH, filters: ['customer', 'payment_method'] }),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'setup_intent', handle: (world, { id }) => setupById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'setup_intent',
    unsupported: [...METHODS, ...CONNECT, ...FILTERS],
    handle: updateSetup,
  },
  {
    operation: `POST ${PATH}/{id}/confirm`,
    returns: 'setup_intent',
    unsupported: [...METHODS, ...FILTERS],
    handle: (world, { id, params, cause }) => confirmSetup(world, setupById(world, id), params, cause),
  },
  {
    operation: `POST ${PATH}/{id}/cancel`,
    returns: 'setup_intent',
    handle: (world, { id, params, cause }) => {
      const reason = (params['cancellation_reason'] as string | undefined) ?? null;
      return cancelSetup(world, mustBeCancellableDirectly(world, setupById(world, id)), reason, cause);
    },
  },
  {
    operation: `GET ${ATTEMPTS}`,
    returns: 'list<setup_attempt>',
    handle: (world, call) => {
      setupById(world, call.params['setup_intent'] as string, 'setup_intent');
      return listPage(call, world.setupAttempts, { noun: 'setup_attempt', url: ATTEMPTS, filters: ['setup_intent'] });
    },
  },
];
