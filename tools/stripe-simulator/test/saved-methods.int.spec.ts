import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

const attached = (): unknown[] =>
  given.simulator.world.events.records
    .all()
    .filter(({ event }) => event.type === 'payment_method.attached')
    .map(({ event }) => (event.data.object as { id: string }).id);
const pass = (payment_intent: string): Promise<unknown> =>
  control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent });

describe('A payment method given with a new customer', () => {
  it('is attached, told, and its default when named twice', async () => {
    const customer = await stripe.customers.create({
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    const [method] = (await stripe.customers.listPaymentMethods(customer.id)).data;
    expect(customer.invoice_settings.default_payment_method).toBe(method!.id);
    expect(attached()).toEqual([method!.id]);
  });

  it('stops the customer when it declines', async () => {
    const error = await errorOf(stripe.customers.create({ payment_method: 'pm_card_chargeDeclined' }));
    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined' });
    expect((await stripe.customers.list()).data).toEqual([]);
    expect((await stripe.customers.create({ payment_method: 'pm_card_chargeCustomerFail' })).id).toMatch(/^cus_/);
  });
});

describe('A payment with setup_future_usage', () => {
  it('saves its method to the customer once it has succeeded, not before and not without it', async () => {
    const { id: customer } = await stripe.customers.create({});
    const later = { ...PAY, customer, setup_future_usage: 'off_session' } as const;
    await errorOf(stripe.paymentIntents.create({ ...later, payment_method: 'pm_card_chargeDeclined' }));
    await stripe.paymentIntents.create({ ...PAY, customer });
    await stripe.paymentIntents.create({ ...PAY, setup_future_usage: 'off_session' });
    expect(attached()).toEqual([]);
    const intent = await stripe.paymentIntents.create(later);
    expect(attached()).toEqual([intent.payment_method]);
    expect((await stripe.paymentMethods.retrieve(intent.payment_method as string)).customer).toBe(customer);
    await stripe.paymentIntents.create({ ...later, payment_method: intent.payment_method as string });
    expect(attached()).toHaveLength(1);
  });

  it('spares the holder later authentication when he has passed it for that', async () => {
    const { id: customer } = await stripe.customers.create({});
    const first = await stripe.paymentIntents.create({
      ...PAY,
      customer,
      payment_method: 'pm_card_authenticationRequired',
      setup_future_usage: 'off_session',
    });
    await pass(first.id);
    const method = (await stripe.paymentIntents.retrieve(first.id, { expand: ['latest_charge'] })).latest_charge as Stripe.Charge;
    expect(method.payment_method_details!.card!.three_d_secure).toMatchObject({ result: 'authenticated' });
    const again = { ...PAY, customer, payment_method: method.payment_method! };
    expect((await stripe.paymentIntents.create({ ...again, off_session: true })).status).toBe('succeeded');
    expect((await stripe.paymentIntents.create(again)).status).toBe('requires_action');
  });

  it('does not spare it for cards that always ask, or when nobody agreed to later payments', async () => {
    const { id: customer } = await stripe.customers.create({});
    for (const [payment_method, usage] of [
      ['pm_card_threeDSecure2Required', 'off_session'],
      ['pm_card_authenticationRequired', 'on_session'],
    ] as const) {
      const first = await stripe.paymentIntents.create({ ...PAY, customer, payment_method, setup_future_usage: usage });
      await pass(first.id);
      const again = { ...PAY, customer, payment_method: first.payment_method as string, off_session: true };
      expect(await errorOf(stripe.paymentIntents.create(again))).toMatchObject({ code: 'authentication_required' });
    }
  });
});
