import { noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Customer } from './customer.js';

/** A customer that exists and is not deleted. */
export function mustExistCustomer(world: World, id: string, param = 'customer'): Customer {
  const customer = world.customers.get(id);
  if (customer === undefined) throw noSuch('customer', id, param);
  return customer;
}
