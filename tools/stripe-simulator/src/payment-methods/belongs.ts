import { refused } from '../http/errors.js';
import { type World } from '../world.js';

/** Defaults must be payment methods that are attached to the customer. */
export function mustBelong(world: World, id: string, customer: string, param: string): void {
  if (world.paymentMethods.get(id)?.customer === customer) return;
  throw refused(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    'resource_missing',
    { param },
  );
}
