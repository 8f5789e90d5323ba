import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { blank } from './blank.js';
import { type Customer } from './customer.js';

/** A customer that Stripe makes by itself, for a Checkout Session, with `customer.created`. */
export function newCustomer(world: World, fields: Pick<Customer, 'email' | 'name'>, cause: Cause): Customer {
  const customer = world.customers.insert({ ...blank(world), ...fields });
  world.events.emit('customer.created', customer, cause);
  return customer;
}
