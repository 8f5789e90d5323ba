import type { CustomerView } from '@tidegate/contracts/responses';
import { type Compared } from './invariants.js';

/** Every way in which customers and the truth may disagree: who is known here exists at Stripe, and who was erased here is gone there. */
export function customerFaults(truth: Compared, customers: readonly CustomerView[]): string[] {
  const there = new Set(truth.customers.map(({ id }) => id));
  return customers.flatMap(({ id, status, email, name }) => {
    if (status === 'active') return there.has(id) ? [] : [`${id} is active, Stripe does not have it`];
    const left = email !== null || name !== null ? [`${id} is ${status} and still has a name or an address`] : [];
    if (status === 'erasing') return [...left, `${id} is still being erased`];
    return there.has(id) ? [...left, `${id} is erased, Stripe still has it`] : left;
  });
}
