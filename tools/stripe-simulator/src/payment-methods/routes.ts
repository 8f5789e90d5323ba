import { mustExistCustomer } from '../customers/find.js';
import { invalidParam, noSuch, refused } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type World } from '../world.js';
import { type PaymentMethod } from './payment-method.js';
import { attachMethod, mustBeSavable } from './attach.js';
import { UNSUPPORTED_AT_CREATION, createPaymentMethod } from './create.js';
import { testMethod } from './new.js';
import { usablePaymentMethod } from './use.js';

const PATH = '/v1/payment_methods';

export const paymentMethodRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'payment_method', unsupported: UNSUPPORTED_AT_CREATION, handle: createPaymentMethod },
  {
    operation: `GET ${PATH}`,
    returns: 'list<payment_method>',
    unsupported: ['allow_redisplay', 'customer_account'],
    handle: (world, call) => listPage(call, world.paymentMethods, { noun: 'payment_method', url: PATH, filters: ['customer', 'type'] }),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'payment_method', handle: (world, { id }) => paymentMethodById(world, id) },
  {
    operation: `POST ${PATH}/{id}/attach`,
    returns: 'payment_method',
    unsupported: ['customer_account'],
    handle: (world, { id, params, cause }) => {
      const customer = mustExistCustomer(world, requiredCustomer(params['customer']));
      const method = usablePaymentMethod(world, id, customer.id);
      mustBeSavable(method);
      return attachMethod(world, method, customer.id, cause);
    },
  },
  {
    operation: `POST ${PATH}/{id}/detach`,
    returns: 'payment_method',
    handle: (world, { id, cause }) => {
      const method = world.paymentMethods.get(id);
      if (method === undefined) throw noSuch('PaymentMethod', id, 'id');
      if (method.customer === null)
        throw refused('The payment method you provided is not attached to a customer so detachment is impossible.', undefined);
      const detached = world.paymentMethods.replace({ ...method, customer: null });
      world.events.emit('payment_method.detached', detached, cause, method);
      return detached;
    },
  },
  {
    operation: 'GET /v1/customers/{id}/payment_methods',
    returns: 'list<payment_method>',
    handle: (world, call) => {
      const customer = mustExistCustomer(world, call.id, 'id');
      const filtered = { ...call, params: { ...call.params, customer: customer.id } };
      return listPage(filtered, world.paymentMethods, {
        noun: 'payment_method',
        url: `/v1/customers/${customer.id}/payment_methods`,
        filters: ['customer', 'type'],
      });
    },
  },
];

function paymentMethodById(world: World, id: string): PaymentMethod {
  const method = world.paymentMethods.get(id) ?? testMethod(world, id, id);
  if (method === undefined) throw noSuch('PaymentMethod', id, 'id');
  return method;
}

function requiredCustomer(id: unknown): string {
  if (typeof id === 'string') return id;
  throw invalidParam('Missing required param: customer.', 'customer', 'parameter_missing');
}
