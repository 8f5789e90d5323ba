import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { DEFAULT_TENANT } from './normalized-event.decide.js';

/** What is known when an event is published. */
export interface Known {
  /** Tenants that earlier events of an aggregate gave it. */
  ofAggregates: ReadonlyMap<string, string>;
  /** Customers that Stripe told of; null: their metadata names no tenant. */
  ofCustomers: ReadonlyMap<string, string | null>;
}

/** `given`: null when neither metadata nor a customer names a tenant, and the account's counts. `unknown`: nobody knows this customer yet. */
export type Owner = { kind: 'given'; tenant: string | null } | { kind: 'unknown'; customer: string };

/** A tenant that these metadata name; null when they name none, or nothing that could be one. */
export function namedTenant(metadata: Record<string, string>): string | null {
  const named = metadata['tenant_id'];
  return named !== undefined && /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(named) ? named : null;
}

/**
 * Whose an event is: a known aggregate keeps its tenant; else the metadata's `tenant_id`, else the tenant of the object's customer. Metadata and customers of other
 * accounts are not looked at: whoever has such an account may write there what he likes.
 */
export function ownerOf(event: NormalizedStripeEvent, at: { aggregate: string; account: string | null }, known: Known): Owner {
  const given = known.ofAggregates.get(at.aggregate) ?? (at.account === null ? namedTenant(event.object.metadata) : null);
  const { customer } = event.object;
  if (given !== null || customer === null || at.account !== null) return { kind: 'given', tenant: given };
  const tenant = known.ofCustomers.get(customer);
  return tenant === undefined ? { kind: 'unknown', customer } : { kind: 'given', tenant };
}

/** The tenant of events whose object names none, by STRIPE_ACCOUNT_TENANTS: of that account (`own` is ours), else `default`. */
export const tenantOfAccount = (account: string | null, tenants: ReadonlyMap<string, string>): string =>
  tenants.get(account ?? 'own') ?? DEFAULT_TENANT;
