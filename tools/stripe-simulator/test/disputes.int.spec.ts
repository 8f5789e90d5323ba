import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const pay = (payment_method: string = 'pm_card_visa'): Promise<Stripe.PaymentIntent> =>
  stripe.paymentIntents.create({ ...PAY, amount: 4200, payment_method });
const dispute = async (intent: Stripe.PaymentIntent, more: object = {}): Promise<Stripe.Dispute> =>
  (await control(given.simulator, 'POST', '/__dashboard/dispute', { payment_intent: intent.id, ...more })).value as Stripe.Dispute;
const close = async (body: object): Promise<{ status: number; value: unknown }> =>
  control(given.simulator, 'POST', '/__dashboard/close_dispute', body);
const disputeOf = (intent: Stripe.PaymentIntent): Promise<Stripe.Dispute> =>
  eventually(async () => (await stripe.disputes.list({ payment_intent: intent.id })).data[0]);
const disputeEvents = (): string[] =>
  given.simulator.world.events.records
    .all()
    .map(({ event }) => event.type)
    .filter((type) => type.startsWith('charge.dispute.'));
const types = (movements: readonly Stripe.BalanceTransaction[]): [string, number, number, number][] =>
  movements.map(({ type, amount, fee, net }) => [type, amount, fee, net]);

describe('When the bank charges a payment back', () => {
  it('takes the money and a fee, and blocks refunds', async () => {
    const intent = await pay('pm_card_createDispute');
    const found = await disputeOf(intent);
    expect(found).toMatchObject({
      amount: 4200,
      charge: intent.latest_charge,
      status: 'needs_response',
      reason: 'fraudulent',
      is_charge_refundable: false,
      payment_method_details: { card: { brand: 'visa', case_type: 'chargeback' } },
      evidence: { uncategorized_text: null },
      evidence_details: { has_evidence: false, submission_count: 0 },
    });
    expect(types(found.balance_transactions)).toEqual([['adjustment', -4200, 1500, -5700]]);
    expect(found.balance_transactions[0]!.fee_details).toMatchObject([{ description: 'Dispute fee', amount: 1500 }]);
    expect((await stripe.charges.retrieve(intent.latest_charge as string)).disputed).toBe(true);
    expect(disputeEvents()).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn']);
    expect(await errorOf(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({ statusCode: 400, code: 'charge_disputed' });
  });

  it('says why with pm_card_createDisputeProductNotReceived', async () => {
    expect(await disputeOf(await pay('pm_card_createDisputeProductNotReceived'))).toMatchObject({ reason: 'product_not_received' });
  });

  it('waits for the capture of a held payment', async () => {
    const held = await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual', payment_method: 'pm_card_createDispute' });
    given.simulator.advanceClock(60);
    expect((await stripe.disputes.list()).data).toEqual([]);
    await stripe.paymentIntents.capture(held.id, { amount_to_capture: 500 });
    expect((await disputeOf(held)).amount).toBe(500);
  });

  it('is won with winning evidence, and the amount comes back without the fee', async () => {
    const { id } = await dispute(await pay());
    const submitted = await stripe.disputes.update(id, { evidence: { uncategorized_text: 'winning_evidence', customer_name: 'Ada' } });
    expect(submitted).toMatchObject({
      status: 'under_review',
      evidence: { customer_name: 'Ada' },
      evidence_details: { has_evidence: true, submission_count: 1, submission_method: 'manual' },
    });
    await eventually(async () => (await stripe.disputes.retrieve(id)).status === 'won');
    const won = await stripe.disputes.retrieve(id, { expand: ['charge', 'payment_intent'] });
    expect(types(won.balance_transactions)).toEqual([
      ['adjustment', -4200, 1500, -5700],
      ['adjustment', 4200, 0, 4200],
    ]);
    expect(won.charge).toMatchObject({ object: 'charge', disputed: true });
    expect(disputeEvents()).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.updated',
      'charge.dispute.closed',
      'charge.dispute.funds_reinstated',
    ]);
    expect((await stripe.refunds.create({ charge: (won.charge as Stripe.Charge).id })).status).toBe('succeeded');
  });

  it('is lost with losing evidence, when it is accepted, and when nobody answers in time', async () => {
    const [evidence, accepted, forgotten] = [await dispute(await pay()), await dispute(await pay()), await dispute(await pay())];
    await stripe.disputes.update(evidence.id, { evidence: { uncategorized_text: 'losing_evidence' } });
    await eventually(async () => (await stripe.disputes.retrieve(evidence.id)).status === 'lost');
    expect((await stripe.disputes.close(accepted.id)).status).toBe('lost');
    given.simulator.advanceClock(15 * 86_400);
    expect(await stripe.disputes.retrieve(forgotten.id)).toMatchObject({ status: 'lost', evidence_details: { past_due: true } });
    const moved = (await stripe.balanceTransactions.list({ type: 'adjustment' })).data;
    expect(moved.map(({ source }) => source).sort()).toEqual([evidence.id, accepted.id, forgotten.id].sort());
  });

  it('keeps staged evidence until it is submitted', async () => {
    const { id } = await dispute(await pay());
    const staged = await stripe.disputes.update(id, { evidence: { customer_name: 'Ada' }, submit: false, metadata: { a: '1' } });
    expect(staged).toMatchObject({ status: 'needs_response', evidence_details: { has_evidence: true, submission_count: 0 } });
    const submitted = await stripe.disputes.update(id, { submit: true });
    expect(submitted).toMatchObject({ status: 'under_review', evidence: { customer_name: 'Ada' }, metadata: { a: '1' } });
    expect((await stripe.disputes.update(id, { metadata: { b: '2' } })).metadata).toEqual({ a: '1', b: '2' });
    given.simulator.advanceClock(30 * 86_400);
    expect((await stripe.disputes.retrieve(id)).status).toBe('under_review');
  });

  it('takes enhanced evidence in parts and shows it whole', async () => {
    const { id } = await dispute(await pay());
    const transaction = { customer_email_address: 'ada@example.com', shipping_address: { city: 'Graz' } };
    const evidence = {
      enhanced_evidence: {
        visa_compelling_evidence_3: { disputed_transaction: transaction, prior_undisputed_transactions: [{ charge: 'ch_x' }] },
        visa_compliance: { fee_acknowledged: true },
      },
    };
    const staged = await stripe.disputes.update(id, { evidence, submit: false });
    expect(staged.evidence.enhanced_evidence).toMatchObject({
      visa_compelling_evidence_3: {
        disputed_transaction: { customer_email_address: 'ada@example.com', product_description: null, shipping_address: { line1: null } },
        prior_undisputed_transactions: [{ charge: 'ch_x', product_description: null }],
      },
      visa_compliance: { fee_acknowledged: true },
    });
    const kept = await stripe.disputes.update(id, { evidence: { customer_name: 'Ada' }, submit: false });
    expect(kept.evidence.enhanced_evidence).toEqual(staged.evidence.enhanced_evidence);
    const emptied = await stripe.disputes.update(id, { evidence: { enhanced_evidence: '' }, submit: false });
    expect(emptied.evidence).toMatchObject({ enhanced_evidence: {}, customer_name: 'Ada' });
  });

  it('refuses a second submission, files that were never uploaded, and disputes that do not exist', async () => {
    const { id } = await dispute(await pay());
    expect(await errorOf(stripe.disputes.update(id, { evidence: { receipt: 'file_x' } }))).toMatchObject({ code: 'resource_missing' });
    await stripe.disputes.update(id, { submit: true });
    expect((await errorOf(stripe.disputes.update(id, { evidence: { customer_name: 'Bob' } }))).message).toContain('submitted already');
    expect((await errorOf(stripe.disputes.close(id))).statusCode).toBe(400);
    await close({ dispute: id, outcome: 'lost' });
    expect((await errorOf(stripe.disputes.close(id))).message).toContain('already closed');
    expect((await errorOf(stripe.disputes.retrieve('du_x'))).message).toBe("No such dispute: 'du_x'");
  });
});

describe('When the bank only asks', () => {
  it('moves no money and leaves the charge refundable; a full refund ends it', async () => {
    const intent = await pay('pm_card_createDisputeInquiry');
    const inquiry = await disputeOf(intent);
    expect(inquiry).toMatchObject({
      status: 'warning_needs_response',
      balance_transactions: [],
      is_charge_refundable: true,
      payment_method_details: { card: { case_type: 'inquiry' } },
    });
    await stripe.refunds.create({ payment_intent: intent.id, amount: 200 });
    expect((await stripe.disputes.retrieve(inquiry.id)).status).toBe('warning_needs_response');
    await stripe.refunds.create({ payment_intent: intent.id });
    expect((await stripe.disputes.retrieve(inquiry.id)).status).toBe('warning_closed');
    expect(disputeEvents()).toEqual(['charge.dispute.created', 'charge.dispute.closed']);
    expect((await stripe.balanceTransactions.list({ type: 'adjustment' })).data).toEqual([]);
  });

  it('becomes a chargeback with escalating evidence and can then be answered again', async () => {
    const { id } = await dispute(await pay(), { kind: 'inquiry' });
    expect((await stripe.disputes.update(id, { evidence: { uncategorized_text: 'escalate_inquiry_evidence' } })).status).toBe(
      'warning_under_review',
    );
    const escalated = await eventually(async () => {
      const now = await stripe.disputes.retrieve(id);
      return now.status === 'needs_response' ? now : undefined;
    });
    expect(escalated).toMatchObject({ is_charge_refundable: false, payment_method_details: { card: { case_type: 'chargeback' } } });
    expect(types(escalated.balance_transactions)).toEqual([['adjustment', -4200, 1500, -5700]]);
    await stripe.disputes.update(id, { evidence: { uncategorized_text: 'winning_evidence' } });
    await eventually(async () => (await stripe.disputes.retrieve(id)).status === 'won');
  });

  it('ends without a loss when it is closed, answered or left alone', async () => {
    const [closed, answered, forgotten] = [
      await dispute(await pay(), { kind: 'inquiry' }),
      await dispute(await pay(), { kind: 'inquiry' }),
      await dispute(await pay(), { kind: 'inquiry' }),
    ];
    expect((await stripe.disputes.close(closed.id)).status).toBe('warning_closed');
    await stripe.disputes.update(answered.id, { evidence: { uncategorized_text: 'losing_evidence' } });
    await eventually(async () => (await stripe.disputes.retrieve(answered.id)).status === 'warning_closed');
    given.simulator.advanceClock(15 * 86_400);
    expect((await stripe.disputes.retrieve(forgotten.id)).status).toBe('warning_closed');
  });
});

describe('A person who plays the bank', () => {
  it('disputes a part of a charge and decides, with events or silently', async () => {
    const intent = await pay();
    const part = await dispute(intent, { amount: 1000, reason: 'duplicate', silent: true });
    expect(part).toMatchObject({ amount: 1000, reason: 'duplicate', status: 'needs_response' });
    expect(disputeEvents()).toEqual([]);
    expect((await close({ payment_intent: intent.id, outcome: 'won' })).value).toMatchObject({ id: part.id, status: 'won' });
    expect(disputeEvents()).toEqual(['charge.dispute.closed', 'charge.dispute.funds_reinstated']);
    const [record] = given.simulator.world.events.records.all().slice(-1);
    expect(record!.event.request).toEqual({ id: null, idempotency_key: null });
  });

  it.each([
    ['dispute', { payment_intent: 'pi_x' }],
    ['dispute', { kind: 'quarrel' }],
    ['dispute', { amount: 999_999 }],
    ['close_dispute', { outcome: 'won', dispute: 'du_x' }],
    ['close_dispute', {}],
  ])('is told what is wrong with %s %j', async (action, body) => {
    const { id } = await pay();
    const { status, value } = await control(given.simulator, 'POST', `/__dashboard/${action}`, { payment_intent: id, ...body });
    expect(status).toBe(400);
    expect(value).toHaveProperty('error.message');
  });

  it('cannot dispute twice, dispute what took no money, or give an inquiry a verdict', async () => {
    const intent = await pay();
    const held = await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });
    await dispute(intent, { kind: 'inquiry' });
    expect((await control(given.simulator, 'POST', '/__dashboard/dispute', { payment_intent: intent.id })).status).toBe(400);
    expect((await control(given.simulator, 'POST', '/__dashboard/dispute', { payment_intent: held.id })).status).toBe(400);
    expect((await close({ payment_intent: intent.id, outcome: 'won' })).status).toBe(400);
  });
});

describe('Disputes', () => {
  it('are in the truth and expand from their balance transactions', async () => {
    const { id } = await dispute(await pay());
    expect(given.simulator.truth(['disputes']).disputes).toMatchObject([{ id, status: 'needs_response' }]);
    const [moved] = (await stripe.balanceTransactions.list({ source: id, expand: ['data.source'] })).data;
    expect(moved!.source).toMatchObject({ object: 'dispute', id });
    given.simulator.advanceClock(3 * 86_400);
    expect((await stripe.disputes.retrieve(id)).balance_transactions[0]!.status).toBe('available');
  });
});
