import { describe, expect, it } from '@jest/globals';
import { eventFaults, shapeFaults } from './shape.js';

const refund = {
  id: 're_1',
  object: 'refund',
  amount: 100,
  balance_transaction: null,
  charge: 'ch_1',
  created: 1,
  currency: 'usd',
  customer: null,
  customer_account: null,
  metadata: { a: 'b' },
  payment_intent: 'pi_1',
  payment_method: null,
  reason: null,
  receipt_number: null,
  source_transfer_reversal: null,
  status: 'succeeded',
  transfer_reversal: null,
};
const list = { object: 'list', data: [refund], has_more: false, url: '/v1/refunds' };

describe('The comparison with the API description', () => {
  it('accepts a whole object and a list of such', () => {
    expect([shapeFaults(refund, 'refund'), shapeFaults(list, 'list<refund>')]).toEqual([[], []]);
  });

  it.each<[string, object, string]>([
    ['a missing field', { charge: undefined }, 'refund.charge: missing'],
    ['an extra field', { colour: 'red' }, 'refund.colour: not in the description'],
    ['a wrong type', { amount: '100' }, 'refund.amount: must be a number'],
    ['a null where none may be', { currency: null }, 'refund.currency: must not be null'],
    ['a value outside its enum', { reason: 'boredom' }, 'refund.reason: must be one of'],
    ['metadata that is not text', { metadata: { a: 1 } }, 'refund.metadata: must be a map of text'],
    [
      'a broken object inside',
      { destination_details: { type: 'card', card: { type: 'gift' } } },
      'refund.destination_details.card.type: must be one of',
    ],
    ['an expanded object of another type', { charge: refund }, 'refund.charge: refund is none of charge'],
    ['a broken expanded object', { payment_method: { object: 'payment_method' } }, 'refund.payment_method.id: missing'],
  ])('finds %s', (_, change, fault) => {
    expect(shapeFaults({ ...refund, ...change }, 'refund')[0]).toContain(fault);
  });

  it('finds broken lists and items', () => {
    expect(shapeFaults({ ...list, total: 1 }, 'list<refund>')).toEqual(['list<refund>: not a list envelope']);
    expect(shapeFaults({ ...list, data: [{}] }, 'list<refund>')[0]).toBe('list<refund>[0].id: missing');
  });

  it('finds event types that do not exist', () => {
    const event = {
      id: 'evt_1',
      object: 'event',
      api_version: '1',
      created: 1,
      data: { object: refund },
      livemode: false,
      pending_webhooks: 0,
      request: null,
    };
    expect(eventFaults({ ...event, type: 'payment_intent.failed' })).toContain('event type payment_intent.failed does not exist');
    expect(eventFaults({ ...event, type: 'refund.created' })).toEqual([]);
    expect(eventFaults({ ...event, type: 'refund.created', data: { object: { ...refund, amount: null } } })).toEqual([
      'event refund.created.amount: must not be null',
    ]);
  });
});
