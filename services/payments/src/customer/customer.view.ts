import { type CustomerView } from '@tidegate/contracts/responses';
import { type Customer } from './customer.decide.js';

/** The customer as REST answers it; under Stripe's id, which is why one without it cannot be shown. */
export function viewOf(customer: Customer): CustomerView {
  const { stripe_customer: id, status } = customer;
  if (id === null || status === 'creating' || status === 'refused') throw new Error('Bug: a customer that Stripe does not know');
  return {
    id,
    object: 'customer',
    status,
    email: customer.email,
    name: customer.name,
    locale: customer.locale,
    metadata: customer.metadata,
    created_at: customer.created_at.toISOString(),
    erased_at: customer.erased_at?.toISOString() ?? null,
  };
}
