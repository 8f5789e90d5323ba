import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PAY, control, givenSimulator } from './given.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stripe-simulator-'));
});
afterEach(() => rm(folder, { recursive: true }));

const DAY = 86_400;
const MANDATE = { mandate_data: { customer_acceptance: { type: 'offline' } } } as const;
const PARTS = ['payment_intents', 'charges', 'refunds', 'disputes', 'payouts', 'balance_transactions', 'events'] as const;

describe('When a simulator with a state file is started again', () => {
  it('still knows disputes, payouts, debits, mandates and setups, and what was to become of them', async () => {
    const stateFile = join(folder, 'state.json');
    const still = { stateFile, debitDelayMs: DAY * 1000, refundUpdateDelayMs: DAY * 1000, disputeDecisionMs: DAY * 1000 };
    const first = await givenSimulator(still);
    const { stripe, simulator } = first;
    const { id: customer } = await stripe.customers.create({});
    await stripe.paymentIntents.create({ ...PAY, amount: 9000, payment_method: 'pm_card_bypassPending', capture_method: 'automatic' });
    const { value } = await control(simulator, 'POST', '/__dashboard/payout', {});
    const payout = (value as { id: string }).id;
    const paid = await stripe.paymentIntents.create(PAY);
    const disputed = await control(simulator, 'POST', '/__dashboard/dispute', { payment_intent: paid.id });
    const dispute = (disputed.value as { id: string }).id;
    await stripe.disputes.update(dispute, { evidence: { uncategorized_text: 'winning_evidence' } });
    const debit = { ...PAY, ...MANDATE, customer, setup_future_usage: 'off_session', payment_method: 'pm_usBankAccount_success' } as const;
    const processing = await stripe.paymentIntents.create(debit);
    const waiting = await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_pendingRefund' });
    const refund = await stripe.refunds.create({ payment_intent: waiting.id });
    const setup = await stripe.setupIntents.create({
      customer,
      confirm: true,
      payment_method: 'pm_card_authenticationRequired',
      automatic_payment_methods: PAY.automatic_payment_methods,
    });
    await control(simulator, 'POST', '/__dashboard/complete_action', { setup_intent: setup.id });
    simulator.advanceClock(1);
    const before = simulator.truth(PARTS);
    await first.end();

    const second = await givenSimulator(still);
    expect(second.simulator.truth(PARTS)).toEqual(before);
    second.simulator.advanceClock(DAY);
    expect((await second.stripe.disputes.retrieve(dispute)).status).toBe('won');
    expect((await second.stripe.payouts.retrieve(payout)).status).toBe('in_transit');
    expect((await second.stripe.balanceTransactions.list({ payout })).data).toHaveLength(2);
    expect((await second.stripe.paymentIntents.retrieve(processing.id)).status).toBe('succeeded');
    expect((await second.stripe.refunds.retrieve(refund.id)).status).toBe('succeeded');
    const { payment_method: card } = await second.stripe.setupIntents.retrieve(setup.id);
    for (const payment_method of [card as string, processing.payment_method as string]) {
      const later = await second.stripe.paymentIntents.create({ ...PAY, customer, payment_method, off_session: true });
      expect(['succeeded', 'processing']).toContain(later.status);
    }
    second.simulator.advanceClock(2 * DAY);
    expect((await second.stripe.payouts.retrieve(payout)).status).toBe('paid');
    await second.end();
  });
});
