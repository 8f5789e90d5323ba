import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';
import { type Kysely } from 'kysely';
import { findByStripeId } from '../customer/customer.store.js';
import { type PaymentsTables } from '../tables.js';
import { type AdoptionRules } from './adopt.js';

export interface TenantDeps {
  db: Kysely<PaymentsTables>;
  stripe: Pick<StripePort, 'retrieveCustomer'>;
  rules: AdoptionRules;
}

/** What names its owner: an intent, a subscription, an invoice. */
export interface Owned {
  metadata: Record<string, string>;
  customer: string | null;
}

const TENANT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Whose an object of somebody else's is, when no event of Stripe's has told: of the tenant in its metadata, else of its customer, whom we or Stripe know, else
 * of the account.
 */
export async function tenantOf(deps: TenantDeps, object: Owned): Promise<{ kind: 'ok'; tenant: string } | StripeFailure> {
  const named = (metadata: Record<string, string>) => (TENANT.test(metadata['tenant_id'] ?? '') ? metadata['tenant_id'] : undefined);
  const own = named(object.metadata) ?? (object.customer === null ? deps.rules.tenant : undefined);
  if (own !== undefined || object.customer === null) return { kind: 'ok', tenant: own ?? deps.rules.tenant };
  const known = await findByStripeId(deps.db, object.customer);
  if (known) return { kind: 'ok', tenant: known.tenant };
  const asked = await deps.stripe.retrieveCustomer(object.customer);
  if (asked.kind === 'not_found') return { kind: 'ok', tenant: deps.rules.tenant };
  return asked.kind === 'ok' ? { kind: 'ok', tenant: named(asked.value.metadata) ?? deps.rules.tenant } : asked;
}
