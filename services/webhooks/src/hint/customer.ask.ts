import { metadataOf } from '../normalize/object/read.decide.js';
import type { CustomerTenant } from '../normalize/customer-tenants.store.js';
import { namedTenant } from '../normalize/tenant.decide.js';
import { type Later, retrieve, type Retriever } from './retrieve.js';

/** What a customer's metadata say about its tenant now; a deleted one, or one that Stripe does not know, says nothing. */
export async function askCustomer(stripe: Retriever, customer: string): Promise<{ kind: 'asked'; said: CustomerTenant } | Later> {
  const retrieved = await retrieve(stripe, { kind: 'customer', id: customer });
  if (retrieved.kind === 'later') return retrieved;
  const metadata = retrieved.kind === 'object' ? metadataOf(retrieved.object['metadata']) : {};
  return { kind: 'asked', said: { customer, tenant: namedTenant(metadata) } };
}
