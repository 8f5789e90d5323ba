import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Given, PAY, control, givenSimulator } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator();
});
afterAll(() => given.end());

type Step = () => Promise<unknown>;

/** What people and banks do; what is impossible at the moment is refused and changes nothing. */
function steps(pick: number, amount: number): Record<string, Step> {
  const { stripe, simulator } = given;
  const at = <T>(items: readonly T[]): T | undefined => items[pick % Math.max(items.length, 1)];
  const intent = (): string => at(simulator.world.paymentIntents.all())?.id ?? 'pi_x';
  const dispute = (): string => at(simulator.world.disputes.all())?.id ?? 'du_x';
  const act = (action: string, body: object): Promise<unknown> => control(simulator, 'POST', `/__dashboard/${action}`, body);
  return {
    pay: () => stripe.paymentIntents.create({ ...PAY, amount: 1000 + amount }),
    hold: () => stripe.paymentIntents.create({ ...PAY, amount: 1000 + amount, capture_method: 'manual' }),
    debit: () =>
      stripe.paymentIntents.create({
        ...PAY,
        payment_method: amount % 2 === 0 ? 'pm_usBankAccount_success' : 'pm_usBankAccount_noAccount',
        mandate_data: { customer_acceptance: { type: 'offline' } },
      }),
    payThenFailRefund: () => stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_refundFail' }),
    capture: () => stripe.paymentIntents.capture(intent(), { amount_to_capture: amount }),
    cancel: () => stripe.paymentIntents.cancel(intent()),
    refundPart: () => stripe.refunds.create({ payment_intent: intent(), amount }),
    refundRest: () => stripe.refunds.create({ payment_intent: intent() }),
    dispute: () => act('dispute', { payment_intent: intent(), kind: amount % 3 === 0 ? 'inquiry' : 'chargeback' }),
    answer: () => stripe.disputes.update(dispute(), { evidence: { uncategorized_text: 'winning_evidence' } }),
    accept: () => stripe.disputes.close(dispute()),
    verdict: () => act('close_dispute', { dispute: dispute(), outcome: amount % 2 === 0 ? 'won' : 'escalated' }),
    payOut: () => act('payout', {}),
    payOutPart: () => stripe.payouts.create({ amount, currency: 'usd' }),
    returnPayout: () => act('payout', { payout: at(simulator.world.payouts.all())?.id ?? 'po_x', outcome: 'failed' }),
    wait: () => Promise.resolve(simulator.advanceClock(amount * 600)),
  };
}

const NAMES = [
  ...['pay', 'hold', 'debit', 'payThenFailRefund', 'capture', 'cancel', 'refundPart', 'refundRest', 'dispute'],
  ...['answer', 'accept', 'verdict', 'payOut', 'payOutPart', 'returnPayout', 'wait'],
];
const plan = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.nat(7), fc.integer({ min: 1, max: 900 })), { minLength: 5, maxLength: 25 });

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

describe('Money', () => {
  it('adds up, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (chosen) => {
        given.simulator.reset();
        for (const [name, pick, amount] of chosen) await (steps(pick, amount)[name] as Step)().catch(() => undefined);
        given.simulator.advanceClock(60 * 86_400);
        const { charges, refunds, disputes, payouts, balance_transactions: movements } = given.simulator.truth();
        const netOf = (ids: readonly string[]): number => sum(movements.filter(({ source }) => ids.includes(source)).map(({ net }) => net));

        for (const charge of charges) {
          const given_back = refunds.filter((one) => one.charge === charge.id);
          const standing = given_back.filter(({ status }) => status !== 'failed' && status !== 'canceled');
          const releases = standing.filter((one) => one.status === 'succeeded' && one.balance_transaction === null);
          const kept = standing.filter((one) => !releases.includes(one));
          const released = charge.captured ? charge.amount - charge.amount_captured : charge.refunded ? charge.amount : 0;
          expect(charge.amount_refunded).toBe(released + sum(kept.map(({ amount }) => amount)));
          expect(sum(releases.map(({ amount }) => amount))).toBe(released);
          expect(charge.amount_refunded).toBeLessThanOrEqual(charge.amount);
          const paid = charge.captured && charge.status === 'succeeded';
          const fee = paid ? Math.round(charge.amount_captured * 0.029) + 30 : 0;
          const fell = disputes.filter((one) => one.charge === charge.id && one.balance_transactions.length > 0);
          const lost = fell.filter(({ status }) => status !== 'won');
          const about = [charge.id, ...given_back.map(({ id }) => id), ...fell.map(({ id }) => id)];
          const expected = charge.amount_captured - fee - sum(kept.map(({ amount }) => amount));
          expect(netOf(about)).toBe((paid ? expected : 0) - sum(lost.map(({ amount }) => amount)) - 1500 * fell.length);
        }
        const out = payouts.filter(({ status }) => status === 'paid');
        expect(netOf(payouts.map(({ id }) => id))).toBe(0 - sum(out.map(({ amount }) => amount)));
        const { available, pending } = await given.stripe.balance.retrieve();
        expect(sum([...available, ...pending].map(({ amount }) => amount))).toBe(sum(movements.map(({ net }) => net)));
        for (const { id } of payouts.filter(({ automatic, reconciliation_status: status }) => automatic && status === 'completed')) {
          const parts = await given.stripe.balanceTransactions.list({ payout: id, limit: 100 });
          expect(sum(parts.data.map(({ net }) => net))).toBe(0);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  }, 60_000);
});

describe('A balance of one currency', () => {
  it('converts what others paid, one way as the other, and tells the rate', async () => {
    const european = await givenSimulator({ settlement: { currency: 'usd', rates: { eur: 1.0837 } } });
    const { stripe, simulator } = european;
    const { id } = await stripe.paymentIntents.create({ ...PAY, amount: 4200, currency: 'eur' });
    await stripe.paymentIntents.create({ ...PAY, amount: 1000 });
    await stripe.refunds.create({ payment_intent: id });
    simulator.advanceClock(60);
    const shown = simulator
      .truth()
      .balance_transactions.toSorted((a, b) => a.amount - b.amount)
      .map(({ type, amount, fee, net, currency, exchange_rate: rate }) => [type, amount, fee, net, currency, rate]);
    expect(shown).toEqual([
      ['refund', -4552, 0, -4552, 'usd', 1.0837],
      ['charge', 1000, 59, 941, 'usd', null],
      ['charge', 4552, 165, 4387, 'usd', 1.0837],
    ]);
    await european.end();
  });
});
