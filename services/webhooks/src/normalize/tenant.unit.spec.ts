import { describe, expect, it } from '@jest/globals';
import { exampleStripeEvent, type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { type Known, namedTenant, ownerOf, tenantOfAccount } from './tenant.decide.js';

const event = (object: object): NormalizedStripeEvent => ({
  ...exampleStripeEvent,
  object: { ...exampleStripeEvent.object, metadata: {}, ...object },
});
const nothing: Known = { ofAggregates: new Map(), ofCustomers: new Map() };
const knowing = (changes: Partial<Known>): Known => ({ ...nothing, ...changes });
const at = { aggregate: 'pi_1', account: null };
const named = { metadata: { tenant_id: 'acme' } };
const asCustomer = { customer: 'cus_1' };

describe('The tenant of an event', () => {
  it("is the one that the object's metadata name", () => {
    expect(ownerOf(event({ ...named, ...asCustomer }), at, knowing({ ofCustomers: new Map([['cus_1', 'other']]) }))).toEqual({
      kind: 'given',
      tenant: 'acme',
    });
  });

  it("else the one of the object's customer", () => {
    expect(ownerOf(event(asCustomer), at, knowing({ ofCustomers: new Map([['cus_1', 'other']]) }))).toEqual({
      kind: 'given',
      tenant: 'other',
    });
  });

  it('else nobody knows it: when the customer names none, or there is no customer', () => {
    expect(ownerOf(event(asCustomer), at, knowing({ ofCustomers: new Map([['cus_1', null]]) }))).toEqual({ kind: 'given', tenant: null });
    expect(ownerOf(event({}), at, nothing)).toEqual({ kind: 'given', tenant: null });
  });

  it('waits for a customer that has not been heard of', () => {
    expect(ownerOf(event(asCustomer), at, nothing)).toEqual({ kind: 'unknown', customer: 'cus_1' });
  });

  it('stays what it was for that object, whatever somebody edits at Stripe', () => {
    const known = knowing({ ofAggregates: new Map([['pi_1', 'first']]) });
    expect(ownerOf(event(named), at, known)).toEqual({ kind: 'given', tenant: 'first' });
    expect(ownerOf(event(asCustomer), at, known)).toEqual({ kind: 'given', tenant: 'first' });
  });

  it("does not follow another account's customers, nor its metadata", () => {
    const elsewhere = { ...at, account: 'acct_1' };
    expect(ownerOf(event(asCustomer), elsewhere, nothing)).toEqual({ kind: 'given', tenant: null });
    expect(ownerOf(event(named), elsewhere, nothing)).toEqual({ kind: 'given', tenant: null });
  });

  it.each([['__proto__'], ['a b'], ['x'.repeat(65)], ['']])('is never %p', (tenant_id) => {
    expect(namedTenant({ tenant_id })).toBeNull();
  });

  it('is that of the account at last, by the setting, or default', () => {
    const tenants = new Map([
      ['own', 'ours'],
      ['acct_1', 'theirs'],
    ]);
    expect([tenantOfAccount(null, tenants), tenantOfAccount('acct_1', tenants), tenantOfAccount('acct_2', tenants)]).toEqual([
      'ours',
      'theirs',
      'default',
    ]);
    expect(tenantOfAccount(null, new Map())).toBe('default');
  });
});
