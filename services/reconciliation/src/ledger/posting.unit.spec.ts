import { describe, expect, it } from '@jest/globals';
import { exampleFeeRecorded, type FeeRecorded } from '@tidegate/contracts/events/fee';
import { exampleDispute, examplePaymentSnapshot, type PaymentSnapshot } from '@tidegate/contracts/payment';
import fc from 'fast-check';
import { type Line, linesBetween, movementLines, paymentLines } from './posting.decide.js';

const payment = (changes: Partial<PaymentSnapshot>): PaymentSnapshot => ({ ...examplePaymentSnapshot, ...changes });
const movement = (changes: Partial<FeeRecorded>): FeeRecorded => ({ ...exampleFeeRecorded, ...changes });
const short = (lines: readonly Line[]) =>
  lines.map(({ account, currency, amount, reference }) => `${account} ${amount} ${currency} ${reference}`);

function sums(lines: readonly Line[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { currency, amount } of lines) totals[currency] = (totals[currency] ?? 0) + amount;
  return totals;
}

describe('What a payment is posted with', () => {
  it('is nothing until money was captured', () => {
    expect(paymentLines(payment({ status: 'authorized', amount_captured: 0 }))).toEqual([]);
  });

  it('is a sale that Stripe still owes, and refunds that are not failed', () => {
    const refunds = (['pending', 'succeeded', 'failed', 'unknown'] as const).map((status, i) => ({
      ...{ id: `rfd_${i}`, status, amount: 100 + i, reason: null },
      stripe_refund: status === 'unknown' ? null : `re_${i}`,
    }));
    expect(short(paymentLines(payment({ refunds })))).toEqual([
      'sales -4200 usd pi_3Example',
      'stripe_clearing 4200 usd pi_3Example',
      'refunds 100 usd re_0',
      'stripe_clearing -100 usd re_0',
      'refunds 101 usd re_1',
      'stripe_clearing -101 usd re_1',
    ]);
  });

  it('is the loss of a dispute, in the currency of the balance, without its fee, until the funds are reinstated', () => {
    const funds = { currency: 'eur', withdrawn: 3900, reinstated: 0, fee: 1500 };
    const disputed = (changes: object) => short(paymentLines(payment({ disputes: [{ ...exampleDispute, ...changes }] }))).slice(2);
    expect(disputed({ funds })).toEqual(['dispute_losses 3900 eur du_1Example', 'stripe_clearing -3900 eur du_1Example']);
    expect(disputed({ funds: { ...funds, reinstated: 3900 } })).toEqual([]);
    expect(disputed({ funds: null })).toEqual([]);
  });
});

describe('What takes the ledger from one snapshot to a later one', () => {
  const refund = fc.record({
    id: fc.integer({ min: 1, max: 12 }).map((n) => `rfd_${n}`),
    status: fc.constantFrom('pending', 'succeeded', 'failed' as const),
    amount: fc.integer({ min: 1, max: 500 }),
    reason: fc.constant(null),
    stripe_refund: fc.constant(null),
  });
  // Twice as many lines each, and some of one refund: of few of them, and of so many that they are merged by their keys.
  const told = fc
    .record({ amount_captured: fc.integer({ min: 0, max: 4200 }), refunds: fc.array(refund, { maxLength: 12 }) })
    .map((changes) => paymentLines(payment(changes)));
  const balances = (lines: readonly Line[]): [string, number][] => {
    const sums = new Map<string, number>();
    for (const { account, reference, amount } of lines)
      sums.set(`${account} ${reference}`, (sums.get(`${account} ${reference}`) ?? 0) + amount);
    return [...sums].filter(([, amount]) => amount !== 0).sort();
  };

  it('is one line of each account and reference, and together with the earlier ones what the later one has', () => {
    fc.assert(
      fc.property(told, told, (before, after) => {
        const between = linesBetween(before, after);
        expect(balances([...before, ...between])).toEqual(balances(after));
        expect(balances(between)).toHaveLength(between.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('What a balance transaction is posted with', () => {
  it('of a charge clears the payment, less the fee', () => {
    expect(short(movementLines(movement({})))).toEqual([
      'stripe_balance 4048 usd pi_3Example',
      'stripe_fees 152 usd pi_3Example',
      'stripe_clearing -4200 usd pi_3Example',
    ]);
  });

  it('in another currency goes through the conversion', () => {
    const settled = movement({
      currency: 'eur',
      amount: 3864,
      fee: 140,
      net: 3724,
      presentment: { amount: 4200, currency: 'usd' },
      exchange_rate: 0.92,
    });
    expect(short(movementLines(settled))).toEqual([
      'stripe_balance 3724 eur pi_3Example',
      'stripe_fees 140 eur pi_3Example',
      'conversion -3864 eur pi_3Example',
      'conversion 4200 usd pi_3Example',
      'stripe_clearing -4200 usd pi_3Example',
    ]);
  });

  it('of a dispute takes the amount and the fee from the balance', () => {
    const withdrawn = { type: 'adjustment', source: { object: 'dispute', id: 'du_1' }, amount: -4200, fee: 1500, net: -5700 };
    expect(short(movementLines(movement(withdrawn)))).toEqual([
      'stripe_balance -5700 usd du_1',
      'stripe_fees 1500 usd du_1',
      'stripe_clearing 4200 usd du_1',
    ]);
  });

  it('of a dispute in another currency stays in that of the balance, which payments tells of, too', () => {
    const dispute = { type: 'adjustment', source: { object: 'dispute', id: 'du_1' }, amount: -4200, fee: 0, net: -4200 };
    expect(short(movementLines(movement({ ...dispute, presentment: { amount: -3900, currency: 'eur' } })))).toEqual([
      'stripe_balance -4200 usd du_1',
      'stripe_clearing 4200 usd du_1',
    ]);
  });

  it.each([
    ['a payout', { type: 'payout', source: { object: 'payout', id: 'po_1' } }, 'payouts 500 usd po_1'],
    ["a charge of Stripe's", { type: 'stripe_fee', source: null }, 'stripe_fees 500 usd txn_3Example'],
    ['a fee for an exchange', { type: 'stripe_fx_fee', source: { object: 'charge', id: 'ch_1' } }, 'stripe_fees 500 usd ch_1'],
    ['a foreign refund', { type: 'refund', source: { object: 'refund', id: 're_1' }, foreign: true }, 'other_movements 500 usd re_1'],
    ['a kind that we do not know', { type: 'top_up', source: { object: 'topup', id: 'tu_1' } }, 'other_movements 500 usd tu_1'],
  ])('of %s has its account', (_what, changes, line) => {
    const lines = short(movementLines(movement({ ...changes, amount: -500, fee: 0, net: -500 })));
    expect(lines).toEqual([expect.stringMatching(/^stripe_balance -500 usd /), line]);
  });

  it('sums to zero in each currency, whatever it is', () => {
    const cents = fc.integer({ min: -1_000_000, max: 1_000_000 });
    const anything = fc.record({
      amount: cents,
      fee: cents,
      foreign: fc.boolean(),
      type: fc.constantFrom('charge', 'refund', 'adjustment', 'payout', 'stripe_fee', 'new_type'),
      source: fc.option(fc.record({ object: fc.constantFrom('charge', 'refund', 'dispute', 'payout', 'topup'), id: fc.constant('x_1') })),
      presentment: fc.option(fc.record({ amount: cents, currency: fc.constantFrom('eur', 'jpy') })),
    });
    fc.assert(
      fc.property(anything, (one) => {
        const lines = movementLines(movement({ ...one, net: one.amount - one.fee }));
        expect(Object.values(sums(lines)).every((sum) => sum === 0)).toBe(true);
        expect(lines.every(({ amount }) => amount !== 0)).toBe(true);
      }),
    );
  });
});
