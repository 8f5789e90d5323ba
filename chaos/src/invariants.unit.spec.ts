import { describe, expect, it } from '@jest/globals';
import type { PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { disagreements } from './invariants.js';
import type { Truth } from './truth.js';

const at = '2026-01-01T00:00:00.000Z';
const intent = {
  id: 'pi_1',
  status: 'succeeded',
  amount: 100,
  amount_received: 100,
  currency: 'usd',
  metadata: { payment_id: 'pay_1' },
  latest_charge: 'ch_1',
};
const truth: Truth = { payment_intents: [intent], charges: [], refunds: [], disputes: [], events: [], requests: [] };
const payment: PaymentView = {
  id: 'pay_1',
  object: 'payment',
  status: 'succeeded',
  amount: 100,
  amount_captured: 100,
  amount_refunded: 0,
  currency: 'usd',
  stripe_payment_intent: 'pi_1',
  refunds: [],
  receipt: null,
  origin: 'api',
  metadata: {},
  created_at: at,
  updated_at: at,
};
const receipt: ReceiptView = {
  id: 'rcp_1',
  object: 'receipt',
  number: 'R-2026-000001',
  kind: 'receipt',
  payment: 'pay_1',
  status: 'rendered',
  sha256: 'x',
  template: 't',
  link: null,
  issued_at: at,
};

describe('The check of our record against the truth', () => {
  it('is silent when both agree', () => {
    expect(disagreements(truth, [payment], [receipt])).toEqual([]);
  });

  it.each<[string, Truth, PaymentView[], ReceiptView[], RegExp]>([
    ['a double charge', { ...truth, payment_intents: [intent, { ...intent, id: 'pi_2' }] }, [payment], [receipt], /charged 2 times/],
    ['a status that differs', truth, [{ ...payment, status: 'processing' }], [], /Stripe says succeeded/],
    [
      'a dispute nobody knows',
      { ...truth, disputes: [{ id: 'du_1', status: 'lost', payment_intent: 'pi_1', balance_transactions: [{ amount: -100 }] }] },
      [payment],
      [receipt],
      /Stripe says \[du_1 lost -100\]/,
    ],
    ['a payment nobody knows', truth, [], [], /no payment of ours knows it/],
    ['a missing receipt', truth, [payment], [], /has 0 receipts/],
    ['a second receipt', truth, [payment], [receipt, { ...receipt, number: 'R-2026-000002' }], /has 2 receipts/],
    ['a gap in the numbers', truth, [payment], [{ ...receipt, number: 'R-2026-000002' }], /gap/],
    [
      'a refund beyond the capture',
      { ...truth, refunds: [{ id: 're_1', status: 'succeeded', amount: 101, payment_intent: 'pi_1', metadata: {} }] },
      [payment],
      [receipt],
      /refunded 101 of 100/,
    ],
    [
      'a refund executed twice',
      {
        ...truth,
        refunds: [1, 2].map((n) => ({
          id: `re_${n}`,
          status: 'succeeded',
          amount: 10,
          payment_intent: 'pi_1',
          metadata: { refund_id: 'rfd_1' },
        })),
      },
      [{ ...payment, amount_refunded: 20 }],
      [receipt],
      /executed 2 times/,
    ],
  ])('sees %s', (_what, t, payments, receipts, expected) => {
    expect(disagreements(t, payments, receipts).join('\n')).toMatch(expected);
  });
});
