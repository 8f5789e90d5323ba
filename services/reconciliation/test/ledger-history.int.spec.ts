import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DisputeSnapshot, PaymentSnapshot, RefundSnapshot } from '@tidegate/contracts/payment';
import { exampleFeeRecorded, type FeeRecorded } from '@tidegate/contracts/events/fee';
import fc from 'fast-check';
import type { Transaction } from 'kysely';
import { balances } from '../src/ledger/balances.query.js';
import { recordFees } from '../src/ledger/record-movements.js';
import { paymentsProjector } from '../src/projection/payments.consumer.js';
import type { ReconciliationTables } from '../src/tables.js';
import { ledger, message, reconciled, swept, tell } from './ledger-world.js';
import { dashboard, must, openWorkbench, snapshot, type Workbench } from './workbench.js';

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench({ settlement: { currency: 'usd', rates: { eur: 1.0837, jpy: 0.64 } } });
}, 60_000);
afterAll(() => bench.shutDown());

/** What payments would publish of an intent that Stripe has. */
class Payments {
  private readonly told = new Map<string, { payment: PaymentSnapshot; version: number }[]>();
  constructor(private readonly payments: Map<string, PaymentSnapshot>) {}

  /** Tells what is new, and some of it twice, or late once more. */
  async tellNews(random: () => number): Promise<void> {
    for (const [intent, made] of this.payments) {
      const payment = this.asStripeHasIt(intent, made);
      const history = this.told.get(intent) ?? [];
      if (JSON.stringify(history.at(-1)?.payment) !== JSON.stringify(payment)) history.push({ payment, version: history.length + 1 });
      else if (random() < 0.9) continue;
      this.told.set(intent, history);
      await tell(bench, history.at(-1)!);
      if (random() < 0.3) await tell(bench, history[Math.floor(random() * history.length)]!);
    }
  }

  private asStripeHasIt(intent: string, made: PaymentSnapshot): PaymentSnapshot {
    const { payment_intents: intents, refunds, disputes } = bench.simulator.truth(['payment_intents', 'refunds', 'disputes']);
    const received = intents.find((one) => one.id === intent)!.amount_received;
    const own = refunds.filter((one) => one.payment_intent === intent).map(asRefund);
    const live = own.filter(({ status }) => status !== 'failed');
    return {
      ...made,
      ...{ status: 'succeeded', amount_captured: received, stripe_payment_intent: intent, refunds: own },
      amount_refunded: live.reduce((sum, { amount }) => sum + amount, 0),
      disputes: disputes.filter((one) => one.payment_intent === intent).map((one) => asDispute(one as never, made)),
    };
  }
}

const asRefund = ({ id, status, amount }: { id: string; status: string; amount: number }): RefundSnapshot => ({
  ...{ id: `rfd_${id.slice(-12)}`, amount, reason: null, stripe_refund: id },
  status: status === 'canceled' ? 'failed' : (status as RefundSnapshot['status']),
});

function asDispute(
  {
    id,
    amount,
    currency,
    balance_transactions: moved,
  }: { id: string; amount: number; currency: string; balance_transactions: { amount: number; fee: number; currency: string }[] },
  { created_at }: PaymentSnapshot,
): DisputeSnapshot {
  const total = (sign: number) => moved.filter((one) => Math.sign(one.amount) === sign).reduce((sum, one) => sum + Math.abs(one.amount), 0);
  const funds =
    moved.length === 0
      ? null
      : { currency: moved[0]!.currency, withdrawn: total(-1), reinstated: total(1), fee: moved.reduce((sum, one) => sum + one.fee, 0) };
  return { id, amount, currency, funds, status: 'under_review', reason: null, charge: null, respond_by: null, created_at };
}

describe('Thirty days', () => {
  it('of sales in three currencies, refunds that fail, disputes, payouts that come back, outages and repetitions end with what Stripe has, to the cent', async () => {
    const random = mulberry(20261121);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const made = new Map<string, PaymentSnapshot>();
    const payments = new Payments(made);
    for (let day = 0; day < 30; day += 1) {
      for (let i = 0; i < 3; i += 1) await sell(made, pick(['usd', 'eur', 'jpy']), 500 + Math.floor(random() * 90_000), pick(CARDS));
      const intents = [...made.keys()];
      // Some cannot be refunded or disputed, any more or twice.
      await dashboard(bench, 'refund', { payment_intent: pick(intents), amount: 100 + Math.floor(random() * 400) }).catch(() => undefined);
      if (day % 4 === 0) await dashboard(bench, 'dispute', { payment_intent: pick(intents) }).catch(() => undefined);
      const [dispute] = bench.simulator.truth(['disputes']).disputes.filter((one) => one.status === 'needs_response');
      if (day % 5 === 4 && dispute) await dashboard(bench, 'close_dispute', { dispute: dispute.id, outcome: pick(['won', 'lost']) });
      if (day % 7 === 6) await dashboard(bench, 'payout', day === 13 ? { outcome: 'failed' } : {}).catch(() => undefined);
      if (day % 6 === 2) bench.simulator.addFault({ fault: 'error_503', route: 'GET /v1/balance_transactions', nth: 1, times: 3 });
      if (day % 9 === 5) bench.simulator.addFault({ fault: 'list_lag', ms: 600_000, times: 2 });
      if (day % 10 !== 7) await payments.tellNews(random);
      await swept(bench, { patienceMs: 20 });
      bench.advance(86_400);
    }
    bench.simulator.clearFaults();
    const { refunds, disputes, payouts } = bench.simulator.truth(['refunds', 'disputes', 'payouts']);
    expect(refunds.map(({ status }) => status)).toEqual(expect.arrayContaining(['succeeded', 'failed']));
    expect(disputes.map(({ status }) => status)).toEqual(expect.arrayContaining(['won', 'lost']));
    expect(payouts.map(({ status }) => status)).toEqual(expect.arrayContaining(['paid', 'failed']));
    await payments.tellNews(random);
    await swept(bench);
    expect(await ledger(bench)).toEqual(expectedOfStripe());
    expect((await reconciled(bench, 40)).counts).toMatchObject({ ledger_imbalance: 0 });
  }, 60_000);

  const CARDS = [
    'pm_card_visa',
    'pm_card_visa',
    'pm_card_mastercard',
    'pm_card_refundFail',
    'pm_card_pendingRefund',
    'pm_card_createDispute',
  ] as const;

  async function sell(made: Map<string, PaymentSnapshot>, currency: string, amount: number, paymentMethod: string): Promise<void> {
    const ours = snapshot(bench, { amount, currency });
    const metadata = { payment_id: ours.payment_id, tenant_id: 'default' };
    const wanted = { amount, currency, captureMethod: 'automatic', allowRedirects: 'never', metadata } as const;
    const { id } = must(await bench.stripe.createIntent(wanted, `${ours.payment_id}:create`));
    must(await bench.stripe.confirmIntent(id, { paymentMethod }, `${ours.payment_id}:confirm`));
    made.set(id, ours);
  }

  /** The balances that follow from nothing but Stripe's own objects. */
  function expectedOfStripe(): Record<string, number> {
    const { charges, refunds, balance_transactions: moved } = bench.simulator.truth(['charges', 'refunds', 'balance_transactions']);
    const totals: Record<string, number> = {};
    const add = (account: string, currency: string, amount: number) =>
      (totals[`${account} ${currency}`] = (totals[`${account} ${currency}`] ?? 0) + amount);
    const presented = new Map<string, { currency: string; amount: number }>([
      ...charges.map((one) => [one.id, { currency: one.currency, amount: one.amount_captured }] as const),
      ...refunds.map((one) => [one.id, one] as const),
    ]);
    for (const one of moved) {
      add('stripe_balance', one.currency, one.net);
      add('stripe_fees', one.currency, one.fee);
      const source = presented.get(one.source);
      if (source && source.currency !== one.currency) {
        add('conversion', one.currency, -one.amount);
        add('conversion', source.currency, Math.sign(one.amount) * source.amount);
      }
      if (one.source.startsWith('po_')) add('payouts', one.currency, -one.amount);
      if (one.source.startsWith('du_') || one.source.startsWith('dp_')) add('dispute_losses', one.currency, -one.amount);
    }
    for (const one of charges) add('sales', one.currency, -one.amount_captured);
    for (const one of refunds) if (one.status !== 'failed') add('refunds', one.currency, one.amount);
    return Object.fromEntries(Object.entries(totals).filter(([, amount]) => amount !== 0));
  }
});

describe('Whatever happens to payments', () => {
  /** Undoes what a run of the property did. */
  class Undo extends Error {}

  type Act =
    | { kind: 'capture' | 'refund' | 'withdraw'; payment: number; amount: number; currency: 'usd' | 'eur' }
    | { kind: 'fail_refund' | 'reinstate'; payment: number }
    | { kind: 'fee'; payment: number; amount: number; fee: number; of: 'charge' | 'refund' | 'dispute' | 'payout' }
    | { kind: 'again'; back: number };

  const payment = fc.nat({ max: 3 });
  const amount = fc.integer({ min: 1, max: 100_000 });
  const currency = fc.constantFrom('usd' as const, 'eur' as const);
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({ kind: fc.constantFrom('capture' as const, 'refund' as const, 'withdraw' as const), payment, amount, currency }),
    fc.record({ kind: fc.constantFrom('fail_refund' as const, 'reinstate' as const), payment }),
    fc.record({
      kind: fc.constant('fee' as const),
      payment,
      amount,
      fee: fc.nat({ max: 5000 }),
      of: fc.constantFrom('charge', 'refund', 'dispute', 'payout'),
    }),
    fc.record({ kind: fc.constant('again' as const), back: fc.nat({ max: 20 }) }),
  );

  interface Model {
    captured: number;
    refunds: { amount: number; failed: boolean }[];
    disputes: { amount: number; currency: string; back: boolean }[];
  }

  it('the balances are those of a plain count, in any order and with any repetition', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
        run += 1;
        await bench.db
          .transaction()
          .execute(async (tx) => {
            await played(tx, acts, run);
            throw new Undo();
          })
          .catch((error: unknown) => {
            if (!(error instanceof Undo)) throw error;
          });
      }),
      { numRuns: 60 },
    );
  }, 30_000);

  async function played(tx: Transaction<ReconciliationTables>, acts: readonly Act[], run: number): Promise<void> {
    const models: Model[] = [0, 1, 2, 3].map(() => ({ captured: 0, refunds: [], disputes: [] }));
    const messages: (() => Promise<unknown>)[] = [];
    const expected: Record<string, number> = {};
    const add = (account: string, code: string, by: number) =>
      (expected[`${account} ${code}`] = (expected[`${account} ${code}`] ?? 0) + by);
    const say = async (work: () => Promise<unknown>) => {
      messages.push(work);
      await work();
    };
    const versions = [0, 0, 0, 0];
    const tenant = `tenant-${run}`;
    for (const [n, one] of acts.entries()) {
      if (one.kind === 'again') {
        await messages.at(-1 - (one.back % Math.max(1, messages.length)))?.();
      } else if (one.kind === 'fee') {
        const fee: FeeRecorded = {
          ...exampleFeeRecorded,
          ...{ balance_transaction: `txn_${run}_${n}`, amount: one.amount, fee: one.fee, net: one.amount - one.fee },
          ...{ payment_intent: `pi_${run}_${one.payment}`, source: { object: one.of, id: `${one.of}_${n}` } },
        };
        add('stripe_balance', 'usd', one.amount - one.fee);
        add('stripe_fees', 'usd', one.fee);
        add(one.of === 'payout' ? 'payouts' : 'stripe_clearing', 'usd', -one.amount);
        await say(() => recordFees(tx, [{ type: 'FeeRecorded', data: { tenant, ...fee } }], new Date()));
      } else {
        const model = models[one.payment]!;
        change(model, one);
        versions[one.payment]! += 1;
        const told = { payment: shown(model, `${run}_${one.payment}`), version: versions[one.payment]!, tenant };
        await say(() => paymentsProjector.handle(tx, message(told), undefined));
      }
    }
    for (const { captured, refunds, disputes } of models) {
      add('sales', 'gbp', -captured);
      add('stripe_clearing', 'gbp', captured);
      for (const refund of refunds.filter(({ failed }) => !failed)) {
        add('refunds', 'gbp', refund.amount);
        add('stripe_clearing', 'gbp', -refund.amount);
      }
      for (const dispute of disputes.filter(({ back }) => !back)) {
        add('dispute_losses', dispute.currency, dispute.amount);
        add('stripe_clearing', dispute.currency, -dispute.amount);
      }
    }
    const rows = await balances(tx, { tenant, currency: null, before: null });
    const found = Object.fromEntries(
      rows.filter(({ balance }) => balance !== 0).map((row) => [`${row.account} ${row.currency}`, row.balance]),
    );
    expect(found).toEqual(Object.fromEntries(Object.entries(expected).filter(([, by]) => by !== 0)));
  }

  function change(model: Model, one: Exclude<Act, { kind: 'fee' | 'again' }>): void {
    switch (one.kind) {
      case 'capture':
        model.captured = Math.max(model.captured, one.amount);
        return;
      case 'refund':
        model.refunds.push({ amount: one.amount, failed: false });
        return;
      case 'fail_refund':
        for (const refund of model.refunds.slice(-1)) refund.failed = true;
        return;
      case 'withdraw':
        model.disputes.push({ amount: one.amount, currency: one.currency, back: false });
        return;
      case 'reinstate':
        for (const dispute of model.disputes.slice(-1)) dispute.back = true;
    }
  }

  const shown = ({ captured, refunds, disputes }: Model, id: string): PaymentSnapshot => ({
    ...snapshot(bench, { payment_id: `pay_${id}`, stripe_payment_intent: `pi_${id}`, currency: 'gbp', amount_captured: captured }),
    refunds: refunds.map((one, i) => ({
      id: `rfd_${id}_${i}`,
      amount: one.amount,
      status: one.failed ? 'failed' : 'succeeded',
      reason: null,
      stripe_refund: `re_${id}_${i}`,
    })),
    disputes: disputes.map(({ amount: withdrawn, currency: code, back }, i) => ({
      ...{ id: `du_${id}_${i}`, status: 'under_review', amount: withdrawn, currency: code, reason: null, charge: null, respond_by: null },
      funds: { currency: code, withdrawn, reinstated: back ? withdrawn : 0, fee: 1500 },
      created_at: new Date(0).toISOString(),
    })),
  });
});

/** Numbers from 0 to 1, the same each time: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
