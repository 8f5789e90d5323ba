import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, errorOf, eventually, givenSimulator } from './given.js';

const MINUTE = 60;

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ debitDelayMs: MINUTE * 1000 });
  ({ stripe } = given);
});
afterEach(() => given.end());

const ACCEPTED = { customer_acceptance: { type: 'online', online: { ip_address: '127.0.0.1', user_agent: 'test' } } } as const;
const ACH = { ...PAY, payment_method: 'pm_usBankAccount_success', mandate_data: ACCEPTED } as const;
const ach = (more: object = {}): Promise<Stripe.PaymentIntent> => stripe.paymentIntents.create({ ...ACH, ...more });
const types = (): string[] => given.simulator.world.events.records.all().map(({ event }) => event.type);
/** The intent once the bank has answered, after a minute. */
const answered = (id: string): Promise<Stripe.PaymentIntent> => {
  given.simulator.advanceClock(MINUTE);
  return stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
};
const iban = (country: string, check: string, account: string): Promise<Stripe.PaymentMethod> =>
  stripe.paymentMethods.create({
    type: 'sepa_debit',
    sepa_debit: { iban: `${country}${check} ${account}` },
    billing_details: { name: 'Ada', email: 'ada@example.com' },
  });
const sepa = async (check: string, end: string): Promise<Stripe.PaymentIntent> =>
  ach({ currency: 'eur', payment_method: (await iban('AT', check, `1904 3002 ${end === '3201' ? '3457' : '3547'} ${end}`)).id });

describe('When a bank account is debited', () => {
  it('is processing until the bank has answered, then succeeds as a payment', async () => {
    const intent = await ach({ expand: ['latest_charge'] });
    expect(intent).toMatchObject({ status: 'processing', amount_received: 0, payment_method_types: ['card', 'us_bank_account'] });
    const charge = intent.latest_charge as Stripe.Charge;
    expect(charge.id).toMatch(/^py_/);
    expect(charge).toMatchObject({ status: 'pending', paid: false, captured: true, receipt_url: null, balance_transaction: null });
    expect(types()).toEqual(['payment_intent.created', 'charge.pending', 'payment_intent.processing']);
    const paid = await answered(intent.id);
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 2000, latest_charge: { status: 'succeeded', paid: true } });
    await eventually(() => types().includes('charge.updated'));
    expect(types().slice(3)).toEqual(['charge.succeeded', 'payment_intent.succeeded', 'charge.updated']);
    const [movement] = (await stripe.balanceTransactions.list({ source: charge.id })).data;
    expect(movement).toMatchObject({ type: 'payment', amount: 2000 });
  });

  it.each([
    ['pm_usBankAccount_insufficientFunds', 'insufficient_funds'],
    ['pm_usBankAccount_accountClosed', 'account_closed'],
    ['pm_usBankAccount_noAccount', 'no_account'],
    ['pm_usBankAccount_debitNotAuthorized', 'debit_not_authorized'],
  ])('fails late with %s, and another method can be tried', async (payment_method, code) => {
    const { id } = await ach({ payment_method });
    const failed = await answered(id);
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: { code, payment_method: { type: 'us_bank_account' } },
      latest_charge: { status: 'failed', paid: false, captured: false, failure_code: code },
    });
    expect(types().slice(3)).toEqual(['charge.failed', 'payment_intent.payment_failed']);
    expect((await stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' })).status).toBe('succeeded');
  });

  it('fails although the account is good with the fault late_failure', async () => {
    given.simulator.addFault({ fault: 'late_failure', ms: 4 * 86_400_000 });
    const { id } = await ach();
    given.simulator.advanceClock(3 * 86_400);
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('processing');
    given.simulator.advanceClock(2 * 86_400);
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'insufficient_funds' },
    });
  });

  it('never ends with pm_usBankAccount_processing, and cannot be cancelled, changed or refunded meanwhile', async () => {
    const { id, latest_charge } = await ach({ payment_method: 'pm_usBankAccount_processing' });
    given.simulator.advanceClock(30 * 86_400);
    const state = { statusCode: 400, code: 'payment_intent_unexpected_state' };
    expect(await errorOf(stripe.paymentIntents.cancel(id))).toMatchObject(state);
    expect(await errorOf(stripe.paymentIntents.confirm(id))).toMatchObject(state);
    expect(await errorOf(stripe.paymentIntents.update(id, { amount: 700 }))).toMatchObject(state);
    expect((await errorOf(stripe.refunds.create({ charge: latest_charge as string }))).statusCode).toBe(400);
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('processing');
  });

  it('is disputed without appeal with pm_usBankAccount_dispute', async () => {
    const { id } = await ach({ payment_method: 'pm_usBankAccount_dispute' });
    await answered(id);
    const dispute = await eventually(async () => (await stripe.disputes.list({ payment_intent: id })).data[0]);
    expect(dispute).toMatchObject({ status: 'lost', reason: 'debit_not_authorized', balance_transactions: [{ amount: -2000, fee: 1500 }] });
    expect(dispute.payment_method_details).toBeUndefined();
    expect(types().filter((type) => type.startsWith('charge.dispute.'))).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.closed',
    ]);
  });

  it('gives refunds back slowly, and tells of them twice', async () => {
    const { id } = await ach();
    await answered(id);
    const refund = await stripe.refunds.create({ payment_intent: id, amount: 500 });
    expect(refund.id).toMatch(/^pyr_/);
    expect(refund).toMatchObject({ status: 'pending', pending_reason: 'processing', destination_details: { type: 'us_bank_transfer' } });
    const done = await eventually(async () => {
      const now = await stripe.refunds.retrieve(refund.id, { expand: ['balance_transaction'] });
      return now.status === 'succeeded' ? now : undefined;
    });
    expect(done.balance_transaction).toMatchObject({ type: 'payment_refund', amount: -500 });
    expect(types().slice(-2)).toEqual(['refund.updated', 'charge.refund.updated']);
  });
});

describe('When a bank account is given by its IBAN', () => {
  it.each([
    ['61', '3201', 'succeeded'],
    ['86', '3202', 'requires_payment_method'],
  ])('AT%s…%s ends in %s', async (check, end, status) => {
    const intent = await sepa(check, end);
    expect(intent).toMatchObject({ status: 'processing', payment_method_types: ['card', 'sepa_debit'] });
    expect(await answered(intent.id)).toMatchObject({ status, latest_charge: { payment_method_details: { type: 'sepa_debit' } } });
  });

  it.each([
    ['32', '3204', 'succeeded'],
    ['05', '3205', 'requires_payment_method'],
  ])('AT%s…%s takes long and ends in %s', async (check, end, status) => {
    const intent = await sepa(check, end);
    expect((await answered(intent.id)).status).toBe('processing');
    given.simulator.advanceClock(60 * MINUTE);
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe(status);
  });

  it('refuses a wrong one, and a holder without a name', async () => {
    expect(await errorOf(iban('AT', '61', '1904 3002 3457 3202'))).toMatchObject({ param: 'sepa_debit[iban]' });
    const nameless = stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban: 'AT61' },
      billing_details: { email: 'a@b.c' },
    });
    expect(await errorOf(nameless)).toMatchObject({ param: 'billing_details[name]', code: 'parameter_missing' });
    expect((await errorOf(stripe.paymentMethods.create({ type: 'us_bank_account' }))).message).toContain('pm_usBankAccount_');
  });
});

describe('The permission to debit', () => {
  it('must be given, is single-use for a payment and can be read', async () => {
    const without = await errorOf(ach({ mandate_data: '' }));
    expect(without).toMatchObject({ statusCode: 400, message: expect.stringContaining('requires a mandate') });
    const intent = await ach({ expand: ['latest_charge'] });
    const details = (intent.latest_charge as Stripe.Charge).payment_method_details!.us_bank_account!;
    expect(await stripe.mandates.retrieve(details.mandate as string)).toMatchObject({
      type: 'single_use',
      single_use: { amount: 2000, currency: 'usd' },
      customer_acceptance: { type: 'online' },
      status: 'active',
    });
    expect(await errorOf(stripe.mandates.retrieve('mandate_x'))).toMatchObject({ statusCode: 404 });
  });

  it('of a SEPA account has a page', async () => {
    const { latest_charge: charge } = await sepa('61', '3201');
    const details = (await stripe.charges.retrieve(charge as string)).payment_method_details!.sepa_debit!;
    const { payment_method_details: named } = await stripe.mandates.retrieve(details.mandate!);
    expect(await (await fetch(named.sepa_debit!.url)).text()).toContain(details.mandate!);
  });

  it('holds for later payments when it was given for them', async () => {
    const { id: customer } = await stripe.customers.create({});
    const first = await ach({ customer, setup_future_usage: 'off_session' });
    const method = first.payment_method as string;
    expect((await stripe.paymentMethods.retrieve(method)).customer).toBe(customer);
    const again = { ...PAY, customer, payment_method: method, off_session: true };
    expect((await stripe.paymentIntents.create(again)).status).toBe('processing');
    const [mandate] = given.simulator.world.mandates.all();
    expect((await stripe.paymentIntents.create({ ...again, mandate: mandate!.id })).status).toBe('processing');
    expect(await errorOf(stripe.paymentIntents.create({ ...again, mandate: 'mandate_x' }))).toMatchObject({ code: 'resource_missing' });
  });
});

describe('The payment method types of an intent', () => {
  it('follow currency and capture method, and are filtered', async () => {
    const typesOf = async (more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string[]> =>
      (await stripe.paymentIntents.create({ amount: 500, currency: 'usd', ...more })).payment_method_types;
    expect(await typesOf({})).toEqual(['card', 'us_bank_account']);
    expect(await typesOf({ currency: 'eur' })).toEqual(['card', 'sepa_debit']);
    expect(await typesOf({ currency: 'jpy' })).toEqual(['card']);
    expect(await typesOf({ capture_method: 'manual' })).toEqual(['card']);
    expect(await typesOf({ excluded_payment_method_types: ['us_bank_account'] })).toEqual(['card']);
    expect(await typesOf({ allowed_payment_method_types: ['us_bank_account', 'klarna'] })).toEqual(['us_bank_account']);
    const { id } = await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
    expect((await stripe.paymentIntents.update(id, { currency: 'eur' })).payment_method_types).toEqual(['card', 'sepa_debit']);
  });

  it('refuse every other method', async () => {
    const refused = { statusCode: 400, code: 'payment_intent_incompatible_payment_method', param: 'payment_method' };
    expect(await errorOf(ach({ currency: 'eur' }))).toMatchObject(refused);
    expect(await errorOf(ach({ capture_method: 'manual' }))).toMatchObject(refused);
    const { id } = await stripe.paymentIntents.create({ amount: 500, currency: 'eur' });
    expect(await errorOf(stripe.paymentIntents.update(id, { payment_method: 'pm_usBankAccount_success' }))).toMatchObject(refused);
  });

  it('have their own largest amounts', async () => {
    const tooLarge = { statusCode: 400, code: 'amount_too_large' };
    expect(await errorOf(ach({ amount: 100_000_000 }))).toMatchObject(tooLarge);
    expect((await ach({ amount: 99_999_999 })).status).toBe('processing');
    const amex = { ...PAY, payment_method: 'pm_card_amex' };
    expect(await errorOf(stripe.paymentIntents.create({ ...amex, amount: 1_000_000_000 }))).toMatchObject(tooLarge);
    expect((await stripe.paymentIntents.create({ ...PAY, amount: 1_000_000_000 })).status).toBe('succeeded');
  });
});
