import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterEach(() => given.end());

describe('A customer', () => {
  it('is created, found by mail, changed and counted in lists', async () => {
    const { id } = await stripe.customers.create({ email: 'a@example.com', metadata: { tenant: 't' }, address: { city: 'Graz' } });
    await stripe.customers.create({ email: 'b@example.com' });
    expect((await stripe.customers.list({ email: 'a@example.com' })).data.map((one) => one.id)).toEqual([id]);
    const home = { name: 'Ada', address: { line1: 'Street 1' } };
    await stripe.customers.update(id, { shipping: home, invoice_settings: { footer: 'Thanks' }, preferred_locales: ['de'] });
    expect(await stripe.customers.update(id, { name: 'Ada', metadata: { tenant: '' } })).toMatchObject({
      name: 'Ada',
      email: 'a@example.com',
      metadata: {},
    });
  });

  it('answers with a stub once deleted, and counts as missing in parameters', async () => {
    const { id } = await stripe.customers.create({ email: 'a@example.com' });
    expect(await stripe.customers.del(id)).toMatchObject({ id, deleted: true });
    expect(await stripe.customers.retrieve(id)).toMatchObject({ id, object: 'customer', deleted: true });
    expect(await errorOf(stripe.paymentIntents.create({ amount: 100, currency: 'usd', customer: id }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
    });
    expect(await errorOf(stripe.customers.update(id, { name: 'x' }))).toMatchObject({ statusCode: 404 });
    expect((await stripe.customers.list()).data).toEqual([]);
    expect(given.simulator.world.events.records.all().map(({ event }) => event.type)).toEqual(['customer.created', 'customer.deleted']);
  });

  it.each(['ada', 'ada@example', 'ada@-example.com', 'ada@example-.com', `${'a'.repeat(65)}@example.com`])(
    'is refused with the mail address %s, which the message quotes, and so is a payment',
    async (email) => {
      const refusal = { statusCode: 400, code: 'email_invalid', message: `Invalid email address: ${email}` };
      expect(await errorOf(stripe.customers.create({ email }))).toMatchObject({ ...refusal, param: 'email' });
      const { id } = await stripe.customers.create({ email: 'ada@example.com' });
      expect(await errorOf(stripe.customers.update(id, { email }))).toMatchObject({ ...refusal, param: 'email' });
      expect(await errorOf(stripe.paymentIntents.create({ ...PAY, receipt_email: email }))).toMatchObject({
        ...refusal,
        param: 'receipt_email',
      });
    },
  );

  it('filters intents and charges', async () => {
    const { id } = await stripe.customers.create({});
    const intent = await stripe.paymentIntents.create({ ...PAY, customer: id });
    await stripe.paymentIntents.create(PAY);
    expect((await stripe.paymentIntents.list({ customer: id })).data.map((one) => one.id)).toEqual([intent.id]);
    expect((await stripe.charges.list({ customer: id })).data).toHaveLength(1);
  });
});

describe('A payment method', () => {
  it('is shown for test ids and made afresh at every use', async () => {
    expect((await stripe.paymentMethods.retrieve('pm_card_mastercard')).card).toMatchObject({ brand: 'mastercard', last4: '4444' });
    const [one, two] = [await stripe.paymentIntents.create(PAY), await stripe.paymentIntents.create(PAY)];
    expect(one.payment_method).not.toBe(two.payment_method);
  });

  it('is made of a test token, not of a card number', async () => {
    const billing = { name: 'Ada', address: { city: 'Graz' } };
    const method = await stripe.paymentMethods.create({
      type: 'card',
      card: { token: 'tok_visa' },
      billing_details: billing,
      metadata: { a: '1' },
    });
    expect(method).toMatchObject({ card: { last4: '4242' }, billing_details: billing, metadata: { a: '1' } });
    expect((await stripe.paymentIntents.create({ ...PAY, payment_method: method.id })).status).toBe('succeeded');
    const declining = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_chargeDeclined' } });
    expect(await errorOf(stripe.paymentIntents.create({ ...PAY, payment_method: declining.id }))).toMatchObject({ statusCode: 402 });
    const number = '4242'.repeat(4);
    expect((await errorOf(stripe.paymentMethods.create({ type: 'card', card: { number } }))).message).toContain('is generally unsafe');
    expect(await errorOf(stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_x' } }))).toMatchObject({
      code: 'resource_missing',
    });
  });

  it('belongs to its customer once attached', async () => {
    const { id } = await stripe.customers.create({});
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: id });
    expect((await stripe.customers.listPaymentMethods(id)).data.map((one) => one.id)).toEqual([method.id]);
    expect((await errorOf(stripe.paymentIntents.create({ ...PAY, payment_method: method.id }))).statusCode).toBe(400);
    expect((await stripe.paymentIntents.create({ ...PAY, payment_method: method.id, customer: id })).status).toBe('succeeded');
    expect((await stripe.paymentMethods.detach(method.id)).customer).toBeNull();
  });

  it('that declines can not be attached, except the one that declines only when charged', async () => {
    const { id } = await stripe.customers.create({});
    expect(await errorOf(stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: id }))).toMatchObject({ statusCode: 402 });
    const method = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: id });
    expect(await errorOf(stripe.paymentIntents.create({ ...PAY, payment_method: method.id, customer: id }))).toMatchObject({
      statusCode: 402,
    });
  });
});

describe('A balance transaction', () => {
  it('is found by its source and becomes available after two days', async () => {
    const intent = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic' });
    const find = async (): Promise<Stripe.BalanceTransaction> =>
      (await stripe.balanceTransactions.list({ source: intent.latest_charge as string })).data[0]!;
    expect((await find()).status).toBe('pending');
    given.simulator.advanceClock(2 * 86_400);
    expect((await find()).status).toBe('available');
    expect((await stripe.balanceTransactions.retrieve((await find()).id)).status).toBe('available');
  });
});
