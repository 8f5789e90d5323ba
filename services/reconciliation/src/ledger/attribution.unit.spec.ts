import { describe, expect, it } from '@jest/globals';
import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';
import { attributed, type Clues } from './attribution.decide.js';

const charge = (metadata: Record<string, string>, payment_intent: string | null = 'pi_1'): BalanceTransaction =>
  ({
    ...{ id: 'txn_1', type: 'charge', reporting_category: 'charge', amount: 4200, fee: 152, net: 4048, currency: 'usd' },
    ...{ exchange_rate: null, created: 1_795_000_000 },
    source: { object: 'charge', id: 'ch_1', amount: 4200, currency: 'usd', payment_intent, metadata },
  }) as BalanceTransaction;
const nobody: Clues = { known: null, metadata: {}, invoiceTenant: null, customerTenant: null };
const ours = { tenant_id: 'other', payment_id: 'pay_4f1c2b7a9d3e5f60' };
const about = (movement: BalanceTransaction, clues: Partial<Clues> = {}, unmarked: 'adopt' | 'foreign' = 'foreign') => {
  const { tenant, data } = attributed(movement, { ...nobody, ...clues }, { accountTenant: 'default', unmarked });
  return [tenant, data.payment_id, data.foreign];
};

describe('Where unmarked objects are foreign', () => {
  it.each([
    ['a payment of ours', ours, ['other', ours.payment_id, false]],
    ['the page of a checkout of ours', { tenant_id: 'other', checkout_id: 'cks_4f1c2b7a9d3e5f60' }, ['other', null, false]],
    ['an order of somebody else who calls it so', { payment_id: '123' }, ['default', null, true]],
    ['an order and a tenant of somebody else', { tenant_id: 'other', payment_id: '123' }, ['other', null, true]],
    ['a checkout of somebody else', { tenant_id: 'other', checkout_id: 'basket-7' }, ['other', null, true]],
    ['nothing', {}, ['default', null, true]],
  ])('a charge whose metadata name %s', (_, metadata, expected) => {
    expect(about(charge(metadata))).toEqual(expected);
  });

  it('a charge of an invoice that names a tenant is the tenant’s, and one whose customer does is foreign all the same', () => {
    expect(about(charge({}), { invoiceTenant: 'other' })).toEqual(['other', null, false]);
    expect(about(charge({}), { customerTenant: 'other' })).toEqual(['other', null, true]);
  });
});

describe('Where they are adopted', () => {
  it('a charge is ours, but for one that hangs on no intent', () => {
    expect(about(charge({ payment_id: '123' }), {}, 'adopt')).toEqual(['default', null, false]);
    expect(about(charge({}), { customerTenant: 'other' }, 'adopt')).toEqual(['other', null, false]);
    expect(about(charge({}, null), {}, 'adopt')).toEqual(['default', null, true]);
  });
});
