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

const NOW = { confirm: true, automatic_payment_methods: { enabled: true, allow_redirects: 'never' } } as const;
const setup = (payment_method: string, more: object = {}): Promise<Stripe.SetupIntent> =>
  stripe.setupIntents.create({ ...NOW, payment_method, ...more });
const types = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
const attempts = async (id: string): Promise<string[]> =>
  (await stripe.setupAttempts.list({ setup_intent: id })).data.map(({ status }) => status);

describe('When a card is set up', () => {
  it('is attached to the customer and can pay without him', async () => {
    const { id: customer } = await stripe.customers.create({});
    const created = await stripe.setupIntents.create({ customer, metadata: { a: '1' } });
    expect(created).toMatchObject({ status: 'requires_payment_method', usage: 'off_session', latest_attempt: null, payment_method: null });
    expect(created.client_secret).toMatch(new RegExp(`^${created.id}_secret_`));
    const done = await stripe.setupIntents.confirm(created.id, {
      payment_method: 'pm_card_visa',
      return_url: 'https://example.com',
      expand: ['latest_attempt', 'payment_method'],
    });
    expect(done).toMatchObject({
      status: 'succeeded',
      payment_method: { customer },
      latest_attempt: { status: 'succeeded', usage: 'off_session' },
    });
    expect(types()).toEqual(['customer.created', 'setup_intent.created', 'payment_method.attached', 'setup_intent.succeeded']);
    const method = (done.payment_method as Stripe.PaymentMethod).id;
    const paid = await stripe.paymentIntents.create({ ...PAY, customer, payment_method: method, off_session: true });
    expect(paid.status).toBe('succeeded');
  });

  it('needs no customer', async () => {
    const done = await setup('pm_card_visa');
    expect(done).toMatchObject({ status: 'succeeded', customer: null });
    expect((await stripe.paymentMethods.retrieve(done.payment_method as string)).customer).toBeNull();
    expect(types()).toEqual(['setup_intent.created', 'setup_intent.succeeded']);
  });

  it('is declined with 402 and can be tried with another card', async () => {
    const error = await errorOf(setup('pm_card_chargeDeclinedInsufficientFunds'));
    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'insufficient_funds' });
    const failed = error.setup_intent!;
    expect(failed).toMatchObject({ status: 'requires_payment_method', payment_method: null, last_setup_error: { code: 'card_declined' } });
    expect(types()).toEqual(['setup_intent.created', 'setup_intent.setup_failed']);
    const good = await stripe.setupIntents.confirm(failed.id, { payment_method: 'pm_card_visa' });
    expect(good).toMatchObject({ status: 'succeeded', last_setup_error: null });
    expect(await attempts(failed.id)).toEqual(['succeeded', 'failed']);
    expect((await setup('pm_card_chargeCustomerFail')).status).toBe('succeeded');
  });

  it('waits for its confirmation when it was only named', async () => {
    const named = await stripe.setupIntents.create({ payment_method: 'pm_card_visa' });
    expect(named.status).toBe('requires_confirmation');
    expect((await errorOf(stripe.setupIntents.confirm(named.id))).message).toContain('you must provide a `return_url`');
  });

  it.each([
    [{ ...NOW }, 'missing a payment method'],
    [{ ...NOW, payment_method: 'pm_card_visa', automatic_payment_methods: { enabled: true } }, 'return_url'],
    [{ return_url: 'https://example.com' }, 'confirm=true'],
    [{ customer: 'cus_x' }, "No such customer: 'cus_x'"],
    [{ ...NOW, payment_method: 'pm_usBankAccount_success' }, 'requires a mandate'],
    [{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['sepa_debit'] }, 'not allowed for this SetupIntent'],
    [{ payment_method_data: { type: 'sepa_debit', sepa_debit: { iban: 'AT' } } }, 'does not support the parameter'],
  ])('is refused and leaves nothing behind: %j', async (params, message) => {
    const error = await errorOf(stripe.setupIntents.create(params as Stripe.SetupIntentCreateParams));
    expect(error).toMatchObject({ statusCode: 400, message: expect.stringContaining(message) });
    expect((await stripe.setupIntents.list()).data).toEqual([]);
  });
});

describe('When the bank wants to see the holder', () => {
  it('succeeds once he has passed, and he is not needed for later payments', async () => {
    const { id: customer } = await stripe.customers.create({});
    const waiting = await setup('pm_card_authenticationRequired', { customer });
    expect(waiting).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
    expect(await attempts(waiting.id)).toEqual(['requires_action']);
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { setup_intent: waiting.id });
    const done = await stripe.setupIntents.retrieve(waiting.id);
    expect(done).toMatchObject({ status: 'succeeded', next_action: null });
    expect(await attempts(waiting.id)).toEqual(['succeeded']);
    const paid = { ...PAY, customer, payment_method: done.payment_method as string, off_session: true };
    expect((await stripe.paymentIntents.create(paid)).status).toBe('succeeded');
    expect(types().slice(1, 5)).toEqual([
      'setup_intent.created',
      'setup_intent.requires_action',
      'payment_method.attached',
      'setup_intent.succeeded',
    ]);
  });

  it('goes back to waiting for a method when he fails', async () => {
    const waiting = await setup('pm_card_threeDSecure2Required');
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { setup_intent: waiting.id, outcome: 'fail' });
    expect(await stripe.setupIntents.retrieve(waiting.id, { expand: ['latest_attempt'] })).toMatchObject({
      status: 'requires_payment_method',
      last_setup_error: { code: 'setup_intent_authentication_failure' },
      latest_attempt: { status: 'failed', setup_error: { code: 'setup_intent_authentication_failure' } },
    });
    const again = await control(given.simulator, 'POST', '/__dashboard/complete_action', { setup_intent: waiting.id });
    expect(again.status).toBe(400);
  });

  it('sends him back from its page', async () => {
    const waiting = await setup('pm_card_threeDSecure2Required', { return_url: 'https://example.com/back' });
    const url = waiting.next_action!.redirect_to_url!.url!;
    expect(await (await fetch(url)).text()).toContain('Authenticate a card for later payments');
    const back = await fetch(`${url}?outcome=succeed`, { redirect: 'manual' });
    expect(back.headers.get('location')).toBe(
      `https://example.com/back?setup_intent=${waiting.id}&setup_intent_client_secret=${waiting.client_secret!}&redirect_status=succeeded`,
    );
    expect((await fetch(url)).status).toBe(404);
  });

  it('is abandoned when another card is tried', async () => {
    const waiting = await setup('pm_card_threeDSecure2Required');
    await stripe.setupIntents.confirm(waiting.id, { payment_method: 'pm_card_visa' });
    expect(await attempts(waiting.id)).toEqual(['succeeded', 'abandoned']);
  });
});

describe('When a bank account is set up', () => {
  it('succeeds at once with a mandate for later debits', async () => {
    const { id: customer } = await stripe.customers.create({});
    const done = await setup('pm_usBankAccount_success', {
      customer,
      mandate_data: { customer_acceptance: { type: 'offline' } },
      expand: ['mandate'],
    });
    expect(done).toMatchObject({ status: 'succeeded', mandate: { type: 'multi_use', payment_method: done.payment_method } });
    const paid = { ...PAY, customer, payment_method: done.payment_method as string, off_session: true };
    expect((await stripe.paymentIntents.create(paid)).status).toBe('processing');
  });
});

describe('A setup intent', () => {
  it('is updated, cancelled and then done with', async () => {
    const { id } = await stripe.setupIntents.create({ description: 'a' });
    const { id: customer } = await stripe.customers.create({});
    const updated = await stripe.setupIntents.update(id, {
      customer,
      payment_method: 'pm_card_visa',
      description: '',
      metadata: { a: '1' },
    });
    expect(updated).toMatchObject({ status: 'requires_confirmation', customer, description: null, metadata: { a: '1' } });
    const canceled = await stripe.setupIntents.cancel(id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect(types()).toContain('setup_intent.canceled');
    for (const call of [stripe.setupIntents.confirm(id), stripe.setupIntents.cancel(id), stripe.setupIntents.update(id, { customer })]) {
      expect(await errorOf(call)).toMatchObject({ statusCode: 400, code: 'setup_intent_unexpected_state', setup_intent: { id } });
    }
    expect((await stripe.setupIntents.update(id, { metadata: { b: '2' } })).metadata).toEqual({ a: '1', b: '2' });
  });

  it('is listed by customer and method', async () => {
    const { id: customer } = await stripe.customers.create({});
    const mine = await setup('pm_card_visa', { customer });
    const other = await setup('pm_card_visa');
    expect((await stripe.setupIntents.list({ customer })).data.map(({ id }) => id)).toEqual([mine.id]);
    expect((await stripe.setupIntents.list({ payment_method: other.payment_method as string })).data.map(({ id }) => id)).toEqual([
      other.id,
    ]);
    expect(await errorOf(stripe.setupIntents.retrieve('seti_x'))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect(await errorOf(stripe.setupAttempts.list({ setup_intent: 'seti_x' }))).toMatchObject({ statusCode: 400 });
  });

  it('refuses payment_method_types from endive on and takes them before', async () => {
    const params = { payment_method_types: ['card'] } as Stripe.SetupIntentCreateParams;
    expect(await errorOf(stripe.setupIntents.create(params))).toMatchObject({ code: 'payment_method_types_no_longer_supported' });
    const before = await stripe.setupIntents.create(params, { apiVersion: '2026-08-26.dahlia' });
    expect(before).toMatchObject({ payment_method_types: ['card'], automatic_payment_methods: null });
  });
});
