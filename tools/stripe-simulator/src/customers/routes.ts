import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { attachMethod, mustBeSavable } from '../payment-methods/attach.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { shownAs } from '../schema/complete.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type Params } from '../schema/params.js';
import { blank } from './blank.js';
import { endAllOf } from '../subscriptions/end.js';
import { type Customer } from './customer.js';
import { mustExistCustomer } from './find.js';
import { mustBeMailAddress } from './mail-address.js';

const PATH = '/v1/customers';
const PLAIN = [
  'address',
  'balance',
  'description',
  'email',
  'invoice_prefix',
  'name',
  'next_invoice_sequence',
  'phone',
  'preferred_locales',
  'shipping',
  'tax_exempt',
] as const;
const UNSUPPORTED = [
  'business_name',
  'cash_balance',
  'default_source',
  'individual_name',
  'source',
  'tax',
  'tax_id_data',
  'test_clock',
  'validate',
];

export const customerRoutes: readonly Route[] = [
  {
    operation: `POST ${PATH}`,
    returns: 'customer',
    unsupported: UNSUPPORTED,
    handle: (world, { params, cause }) => {
      const fresh = blank(world);
      const method = params['payment_method'] === undefined ? undefined : usablePaymentMethod(world, params['payment_method'] as string);
      if (method !== undefined) mustBeSavable(method);
      const customer = world.customers.insert({
        ...fresh,
        ...changes(params, {}),
        invoice_settings: defaultMethod(invoiceSettings(fresh, params), params['payment_method'], method?.id),
      });
      world.events.emit('customer.created', customer, cause);
      if (method !== undefined) attachMethod(world, method, customer.id, cause);
      return customer;
    },
  },
  {
    operation: `GET ${PATH}`,
    returns: 'list<customer>',
    handle: (world, call) => listPage(call, world.customers, { noun: 'customer', url: PATH, filters: ['email'] }),
  },
  {
    operation: `GET ${PATH}/{id}`,
    returns: 'customer',
    handle: (world, { id }) => world.deletedCustomers.get(id) ?? mustExistCustomer(world, id, 'id'),
  },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'customer',
    unsupported: UNSUPPORTED,
    handle: (world, { id, params, cause }) => {
      const before = mustExistCustomer(world, id, 'id');
      const after = world.customers.replace({
        ...before,
        ...changes(params, before.metadata),
        invoice_settings: invoiceSettings(before, params),
      });
      world.events.emit('customer.updated', after, cause, before);
      return after;
    },
  },
  {
    operation: `DELETE ${PATH}/{id}`,
    returns: 'deleted_customer',
    handle: (world, { id, cause }) => {
      const customer = mustExistCustomer(world, id, 'id');
      const stub = { id, object: 'customer', deleted: true } as const;
      endAllOf(world, id, cause);
      world.customers.remove(id);
      world.deletedCustomers.set(id, stub);
      world.events.emit('customer.deleted', customer, cause);
      return stub;
    },
  },
];

function changes(params: Params, metadata: Metadata): Partial<Customer> {
  mustBeMailAddress(params, 'email');
  const plain = Object.fromEntries(PLAIN.filter((name) => params[name] !== undefined).map((name) => [name, shown(name, params[name])]));
  return { ...plain, metadata: mergeMetadata(metadata, params['metadata'] as Metadata | null | undefined) };
}

function shown(name: string, value: unknown): unknown {
  return name === 'address' || name === 'shipping' ? shownAs('customer', name, value) : value;
}

function invoiceSettings(before: Customer, params: Params): Customer['invoice_settings'] {
  const settings = { ...before.invoice_settings, ...((params['invoice_settings'] as object | undefined) ?? {}) };
  return shownAs('customer', 'invoice_settings', settings) as Customer['invoice_settings'];
}

/** A test id that the customer gets as payment method and as default is one and the same object. */
function defaultMethod(settings: Customer['invoice_settings'], asked: unknown, id: string | undefined): Customer['invoice_settings'] {
  return id !== undefined && settings.default_payment_method === asked ? { ...settings, default_payment_method: id } : settings;
}
