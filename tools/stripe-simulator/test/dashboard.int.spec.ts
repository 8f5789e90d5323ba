import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, givenSimulator } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator({ balanceDelayMs: 3_600_000 });
});
afterAll(() => given.end());

const paid = async (): Promise<string> => (await given.stripe.paymentIntents.create(PAY)).id;
const SESSION: Stripe.Checkout.SessionCreateParams = {
  mode: 'payment',
  success_url: 'https://shop.example',
  line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 900, product_data: { name: 'Tea' } } }],
};

/** Every action of a person: the body, made on objects of its own, and the events that tell of it. */
const ACTIONS: readonly (readonly [action: string, prepare: () => Promise<object>, events: readonly string[]])[] = [
  ['refund', async () => ({ payment_intent: await paid() }), ['refund.created', 'charge.refunded']],
  ['dispute', async () => ({ payment_intent: await paid() }), ['charge.dispute.created', 'charge.dispute.funds_withdrawn']],
  [
    'close_dispute',
    async () => {
      const payment_intent = await paid();
      await control(given.simulator, 'POST', '/__dashboard/dispute', { payment_intent });
      return { payment_intent, outcome: 'won' };
    },
    ['charge.dispute.closed', 'charge.dispute.funds_reinstated'],
  ],
  [
    'cancel',
    async () => ({ payment_intent: (await given.stripe.paymentIntents.create({ amount: 500, currency: 'usd' })).id }),
    ['payment_intent.canceled'],
  ],
  [
    'pay_checkout',
    async () => ({ session: (await given.stripe.checkout.sessions.create(SESSION)).id }),
    ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded', 'checkout.session.completed'],
  ],
  [
    'complete_action',
    async () => ({
      payment_intent: (await given.stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_threeDSecure2Required' })).id,
    }),
    ['charge.succeeded', 'payment_intent.succeeded'],
  ],
  [
    'payout',
    async () => {
      await given.stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_bypassPending', capture_method: 'automatic' });
      return {};
    },
    ['payout.created'],
  ],
  [
    'edit',
    async () => ({ id: (await given.stripe.refunds.create({ payment_intent: await paid() })).id, changes: { amount: 1 } }),
    ['refund.updated'],
  ],
];

describe('What a person does in the dashboard', () => {
  it.each(ACTIONS)('%s: is told by its events, or silently by none', async (action, prepare, events) => {
    for (const silent of [false, true]) {
      given.simulator.reset();
      const body = await prepare();
      const before = given.simulator.world.events.records.size;
      const { status } = await control(given.simulator, 'POST', `/__dashboard/${action}`, { ...body, silent });
      const told = given.simulator.world.events.records.all().slice(before);
      expect(status).toBe(200);
      expect(told.map(({ event }) => event.type)).toEqual(silent ? [] : events);
    }
  });

  it.each(['pay_checkout', 'complete_action'])('%s: a payment that was taken silently settles silently', async (action) => {
    given.simulator.reset();
    const prepare = ACTIONS.find(([name]) => name === action)![1];
    const body = await prepare();
    const before = given.simulator.world.events.records.size;
    await control(given.simulator, 'POST', `/__dashboard/${action}`, { ...body, silent: true });
    given.simulator.advanceClock(2 * 3_600);
    expect(given.simulator.truth(['charges']).charges).toMatchObject([{ balance_transaction: expect.stringMatching(/^txn_/) }]);
    expect(given.simulator.world.events.records.size).toBe(before);
  });
});
