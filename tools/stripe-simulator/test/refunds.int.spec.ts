import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

describe('When a payment is refunded', () => {
  it('gives back parts until nothing is left', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, expand: ['latest_charge'] });
    const part = await stripe.refunds.create({
      payment_intent: intent.id,
      amount: 500,
      reason: 'requested_by_customer',
      metadata: { refund_id: 'rfd_1' },
    });
    expect(part).toMatchObject({
      status: 'succeeded',
      amount: 500,
      charge: (intent.latest_charge as Stripe.Charge).id,
      metadata: { refund_id: 'rfd_1' },
    });
    const rest = await stripe.refunds.create({ charge: part.charge as string, expand: ['charge', 'balance_transaction'] });
    expect(rest.charge).toMatchObject({ amount_refunded: 2000, refunded: true });
    expect(rest.balance_transaction).toMatchObject({ amount: -1500, fee: 0, net: -1500, type: 'refund' });
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data.map(({ id }) => id)).toEqual([rest.id, part.id]);
    expect(await errorOf(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
    });
  });

  it('refuses more than is left, and amounts that are none', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    await stripe.refunds.create({ payment_intent: intent.id, amount: 1500 });
    const error = await errorOf(stripe.refunds.create({ payment_intent: intent.id, amount: 501 }));
    expect(error).toMatchObject({
      statusCode: 400,
      param: 'amount',
      message: 'Refund amount (5.01 usd) is greater than unrefunded amount on charge (5.00 usd)',
    });
    expect(await errorOf(stripe.refunds.create({ payment_intent: intent.id, amount: 0 }))).toMatchObject({
      code: 'parameter_invalid_integer',
    });
  });

  it('refuses what was never paid, is unknown or not named', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    expect((await errorOf(stripe.refunds.create({ payment_intent: intent.id }))).message).toBe(
      `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
    );
    expect(await errorOf(stripe.refunds.create({ payment_intent: 'pi_x' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_intent',
    });
    expect(await errorOf(stripe.refunds.create({}))).toMatchObject({ code: 'parameter_missing' });
  });

  it('never gives back more than was captured, however many ask at once', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    const asked = await Promise.allSettled(
      Array.from({ length: 50 }, () => stripe.refunds.create({ payment_intent: intent.id, amount: 300 })),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(6);
  });

  it('merges metadata and refuses to cancel', async () => {
    const intent = await stripe.paymentIntents.create(PAY);
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    expect((await stripe.refunds.update(refund.id, { metadata: { a: '1' } })).metadata).toEqual({ a: '1' });
    expect((await errorOf(stripe.refunds.cancel(refund.id))).statusCode).toBe(400);
  });
});

describe('When a refund changes by itself', () => {
  it('starts pending and succeeds later with pm_card_pendingRefund', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_pendingRefund' });
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    expect(refund).toMatchObject({ status: 'pending', balance_transaction: null });
    await eventually(async () => (await stripe.refunds.retrieve(refund.id)).status === 'succeeded');
    const updated = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'refund.updated'));
    expect(updated.event.data.previous_attributes).toMatchObject({ status: 'pending', balance_transaction: null });
    expect(updated.event.request).toEqual({ id: null, idempotency_key: null });
  });

  it('succeeds and fails later with pm_card_refundFail, and the amount can be refunded again', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_refundFail' });
    const refund = await stripe.refunds.create({ payment_intent: intent.id });
    expect(refund.status).toBe('succeeded');
    await eventually(async () => (await stripe.refunds.retrieve(refund.id)).status === 'failed');
    const failed = await stripe.refunds.retrieve(refund.id, { expand: ['failure_balance_transaction', 'charge'] });
    expect(failed).toMatchObject({ failure_reason: 'expired_or_canceled_card', charge: { amount_refunded: 0, refunded: false } });
    expect(failed.failure_balance_transaction).toMatchObject({ amount: 2000, type: 'refund_failure' });
    await eventually(() => given.receiver.received.some(({ event }) => event.type === 'refund.failed'));
  });
});
