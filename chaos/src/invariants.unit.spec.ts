import { describe, expect, it } from '@jest/globals';
import type { CheckoutView, CustomerView, PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { disagreements, type OurRecord } from './invariants.js';
import { differences, isCertain } from './step.js';
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
const truth: Truth = {
  payment_intents: [intent],
  charges: [],
  refunds: [],
  disputes: [],
  checkout_sessions: [],
  customers: [],
  subscriptions: [],
  invoices: [],
  events: [],
  requests: [],
};
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
  refund: null,
  refers_to: null,
  amount: 100,
  currency: 'usd',
  mail: 'none',
  voided_at: null,
  status: 'rendered',
  sha256: 'x',
  template: 't',
  link: null,
  issued_at: at,
};

const ours: OurRecord = { payments: [payment], receipts: [receipt], checkouts: [], customers: [], subscriptions: [], invoices: [] };

const page = { id: 'cs_1', status: 'complete', payment_status: 'paid', payment_intent: 'pi_1', metadata: { checkout_id: 'cks_1' } };
const checkout: CheckoutView = {
  id: 'cks_1',
  object: 'checkout_session',
  status: 'complete',
  url: null,
  window_ends_at: at,
  payment: 'pay_1',
  payment_status: 'paid',
  late_success: null,
  amount_total: 100,
  currency: 'usd',
  customer: null,
  stripe_checkout_session: 'cs_1',
  metadata: {},
  created_at: at,
  updated_at: at,
};
const bought: Truth = { ...truth, checkout_sessions: [page] };
const sold: OurRecord = { ...ours, payments: [{ ...payment, origin: 'checkout' }], checkouts: [checkout] };

const customer: CustomerView = {
  id: 'cus_1',
  object: 'customer',
  status: 'active',
  email: 'payer@example.com',
  name: 'Ada',
  locale: null,
  metadata: {},
  created_at: at,
  erased_at: null,
};
const known: Truth = { ...truth, customers: [{ id: 'cus_1', metadata: {} }] };

describe('The check of our record against the truth', () => {
  it('is silent when both agree', () => {
    expect(disagreements(truth, ours)).toEqual([]);
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
    [
      'a payment that is still queued',
      truth,
      [payment, { ...payment, id: 'pay_2', status: 'queued', stripe_payment_intent: null }],
      [receipt],
      /pay_2 is queued/,
    ],
    ['a payment that is still unknown', truth, [{ ...payment, status: 'unknown' }], [], /is unknown, Stripe says succeeded/],
    ['a receipt that is not rendered', truth, [payment], [{ ...receipt, status: 'issued' }], /is issued/],
    ['a missing receipt', truth, [payment], [], /has 0 receipts/],
    ['a second receipt', truth, [payment], [receipt, { ...receipt, number: 'R-2026-000002' }], /has 2 receipts/],
    ['a gap in the numbers', truth, [payment], [{ ...receipt, number: 'R-2026-000002' }], /gap/],
    [
      'a refund beyond the capture',
      {
        ...truth,
        refunds: [{ id: 're_1', status: 'succeeded', amount: 101, payment_intent: 'pi_1', balance_transaction: 'txn_1', metadata: {} }],
      },
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
          balance_transaction: 'txn_1',
          metadata: { refund_id: 'rfd_1' },
        })),
      },
      [{ ...payment, amount_refunded: 20 }],
      [receipt],
      /executed 2 times/,
    ],
  ])('sees %s', (_what, t, payments, receipts, expected) => {
    expect(disagreements(t, { ...ours, payments, receipts }).join('\n')).toMatch(expected);
  });
});

describe('The check of checkouts against the truth', () => {
  it('is silent when both agree, and about a window that ended before there was a page', () => {
    expect(disagreements(bought, sold)).toEqual([]);
    const unopened: CheckoutView = { ...checkout, status: 'expired', stripe_checkout_session: null, payment: null };
    expect(disagreements(truth, { ...ours, checkouts: [unopened] })).toEqual([]);
    const ofAnotherProgram = { ...page, id: 'cs_2', payment_intent: 'pi_1', metadata: {} };
    expect(disagreements({ ...bought, checkout_sessions: [page, ofAnotherProgram] }, sold)).toEqual([]);
  });

  const again = { ...page, id: 'cs_2', payment_intent: 'pi_2' };
  it.each<[string, Truth, Partial<OurRecord>, RegExp]>([
    [
      'one that was paid on two pages',
      {
        ...bought,
        checkout_sessions: [page, again],
        payment_intents: [intent, { ...intent, id: 'pi_2', metadata: {} }] as Truth['payment_intents'],
      },
      {},
      /cks_1 was paid 2 times/,
    ],
    [
      'a page paid that we do not know',
      { ...bought, checkout_sessions: [page, { ...again, payment_intent: null }] },
      {},
      /cs_2 of cks_1 is complete/,
    ],
    [
      'one that is complete and taken for expired',
      bought,
      { checkouts: [{ ...checkout, status: 'expired' }] },
      /is expired, its page is complete/,
    ],
    [
      'one that is open although its page is closed',
      { ...bought, checkout_sessions: [{ ...page, status: 'expired' }] },
      { checkouts: [{ ...checkout, status: 'open' }] },
      /is open, its page is expired/,
    ],
    [
      'one that is open without a page',
      bought,
      { checkouts: [{ ...checkout, status: 'open', stripe_checkout_session: null }] },
      /is open and has no page/,
    ],
    ['money that was not noticed', bought, { checkouts: [{ ...checkout, payment_status: 'awaited' }] }, /is awaited, its page is paid/],
    ['a page that Stripe does not have', truth, {}, /which Stripe does not have/],
    ['a payment that is missing', bought, { checkouts: [{ ...checkout, payment: null }] }, /its payment is missing/],
    ['a payment that is said to be of somebody else', bought, { payments: [payment] }, /does not say so/],
    ['one that nobody knows', bought, { checkouts: [] }, /no checkout of ours knows it/],
  ])('sees %s', (_what, t, record, expected) => {
    expect(disagreements(t, { ...sold, ...record }).join('\n')).toMatch(expected);
  });
});

describe('The check of customers against the truth', () => {
  const erased: CustomerView = { ...customer, status: 'erased', email: null, name: null, erased_at: at };

  it('is silent when both agree', () => {
    expect(disagreements(known, { ...ours, customers: [customer] })).toEqual([]);
    expect(disagreements(truth, { ...ours, customers: [erased] })).toEqual([]);
  });

  it.each<[string, Truth, CustomerView, RegExp]>([
    ['one that Stripe does not have', truth, customer, /cus_1 is active, Stripe does not have it/],
    ['one that is erased here only', known, erased, /cus_1 is erased, Stripe still has it/],
    ['one whose erasure does not end', known, { ...erased, status: 'erasing' }, /still being erased/],
    ['one that is erased and still has a name', truth, { ...erased, name: 'Ada' }, /still has a name/],
  ])('sees %s', (_what, t, one, expected) => {
    expect(disagreements(t, { ...ours, customers: [one] }).join('\n')).toMatch(expected);
  });
});

describe('The check of repetitions', () => {
  const answer = { status: 201, body: '{"status":"succeeded"}', headers: {} };
  const call = { method: 'POST' as const, path: '/v1/payments', key: 'k' };

  it('is silent about the same bytes, and sees others or another status', () => {
    expect(differences({ call, answer }, answer)).toEqual([]);
    expect(differences({ call, answer }, { ...answer, body: '{ "status":"succeeded"}' })).toHaveLength(1);
    expect(differences({ call, answer }, { ...answer, status: 200 })).toHaveLength(1);
  });

  it.each([
    [true, 201, 'succeeded'],
    [true, 201, 'requires_payment_method'],
    [true, 200, 'expired'],
    [false, 201, 'unknown'],
    [false, 202, 'queued'],
    [false, 503, 'whatever'],
  ])('takes it for %p that %d %s is certain', (certain, status, is) => {
    expect(isCertain({ status, body: JSON.stringify({ status: is }), headers: {} })).toBe(certain);
  });
});
