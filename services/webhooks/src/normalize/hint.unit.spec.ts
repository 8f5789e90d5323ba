import { describe, expect, it } from '@jest/globals';
import { type Arrived, isHint } from './hint.decide.js';

const ours = { livemode: false, apiVersion: '2026-10-28.endive' };
const arrived = (changes: Partial<Arrived> = {}): Arrived => ({
  source: 'webhook',
  event_type: 'payment_intent.succeeded',
  object_kind: 'payment_intent',
  object_id: 'pi_1',
  api_version: ours.apiVersion,
  account: null,
  livemode: false,
  ...changes,
});

describe('The object of an event', () => {
  it.each<[string, Partial<Arrived>]>([
    ['an intent', {}],
    ['a payout', { object_kind: 'payout', object_id: 'po_1' }],
    ['a product, which is only passed on', { object_kind: 'product', object_id: 'prod_1', api_version: '2020-08-27' }],
    ['a customer that was deleted', { event_type: 'customer.deleted', object_kind: 'customer', object_id: 'cus_1' }],
    ['an invoice that was deleted', { event_type: 'v1.invoice.deleted', source: 'thin', object_kind: 'invoice', object_id: 'in_1' }],
    ['a preview without an id', { event_type: 'invoice.upcoming', object_kind: 'invoice', object_id: null }],
    ["another account's", { account: 'acct_1', source: 'sweep', object_kind: 'subscription' }],
    ["the other mode's", { livemode: true, api_version: '2020-08-27' }],
    ['nothing that is known', { object_kind: null, object_id: null, source: 'thin' }],
  ])('is taken as it was delivered when it is %s', (_what, changes) => {
    expect(isHint(arrived(changes), ours)).toBe(false);
  });

  it.each<[string, Partial<Arrived>]>([
    ['a thin event does not show it', { source: 'thin', api_version: null }],
    ["it stood in Stripe's list", { source: 'sweep' }],
    ['it was rendered in another version', { api_version: '2024-04-10' }],
    ['a subscription comes and goes', { object_kind: 'subscription', object_id: 'sub_1' }],
    ['an invoice comes and goes', { object_kind: 'invoice', object_id: 'in_1' }],
    ['a customer comes and goes', { event_type: 'customer.updated', object_kind: 'customer', object_id: 'cus_1' }],
  ])('is asked for when %s', (_why, changes) => {
    expect(isHint(arrived(changes), ours)).toBe(true);
  });
});
