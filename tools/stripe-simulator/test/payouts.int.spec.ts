import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, PAY, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeEach(async () => {
  given = await givenSimulator({ balanceDelayMs: 0 });
  ({ stripe } = given);
});
afterEach(() => given.end());

const DAY = 86_400;
const payout = async (body: object = {}): Promise<Stripe.Payout> => {
  const { status, value } = await control(given.simulator, 'POST', '/__dashboard/payout', body);
  expect({ status, value }).toMatchObject({ status: 200 });
  return value as Stripe.Payout;
};
const payoutEvents = (): string[] =>
  given.simulator.world.events.records
    .all()
    .map(({ event }) => event.type)
    .filter((type) => type.startsWith('payout.'));
/** Pays and waits until the money is available. Net: 1912 of each 2000. */
const earn = async (payments = 1): Promise<void> => {
  for (let paid = 0; paid < payments; paid += 1) await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic' });
  given.simulator.advanceClock(2 * DAY + 1);
};
const balance = async (): Promise<[number, number]> => {
  const { available, pending } = await stripe.balance.retrieve();
  return [available[0]!.amount, pending[0]!.amount];
};

describe('The balance', () => {
  it('is pending first and available after two days, less what went back', async () => {
    expect(await stripe.balance.retrieve()).toMatchObject({ available: [{ amount: 0, currency: 'usd' }], pending: [{ amount: 0 }] });
    const intent = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic' });
    await stripe.paymentIntents.create({ ...PAY, currency: 'eur', capture_method: 'automatic' });
    expect(await balance()).toEqual([0, 1912]);
    given.simulator.advanceClock(2 * DAY + 1);
    expect(await balance()).toEqual([1912, 0]);
    expect((await stripe.balance.retrieve()).available.map(({ currency }) => currency)).toEqual(['usd', 'eur']);
    await stripe.refunds.create({ payment_intent: intent.id, amount: 500 });
    expect(await balance()).toEqual([1912, -500]);
  });

  it('has the money of pm_card_bypassPending at once', async () => {
    await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic', payment_method: 'pm_card_bypassPending' });
    expect(await balance()).toEqual([1912, 0]);
    expect((await stripe.balanceTransactions.list()).data[0]!.status).toBe('available');
  });
});

describe('When money is paid out by hand', () => {
  it('leaves the balance, travels and arrives', async () => {
    await earn();
    const made = await stripe.payouts.create({ amount: 1000, currency: 'usd', description: 'rent', metadata: { a: '1' } });
    expect(made).toMatchObject({ status: 'pending', automatic: false, amount: 1000, reconciliation_status: 'not_applicable' });
    expect(made.arrival_date - made.created).toBe(2 * DAY);
    expect(await balance()).toEqual([912, 0]);
    given.simulator.advanceClock(3601);
    expect((await stripe.payouts.retrieve(made.id)).status).toBe('in_transit');
    given.simulator.advanceClock(2 * DAY);
    const paid = await stripe.payouts.retrieve(made.id, { expand: ['balance_transaction'] });
    expect(paid).toMatchObject({ status: 'paid', balance_transaction: { type: 'payout', amount: -1000, fee: 0, source: made.id } });
    expect(payoutEvents()).toEqual(['payout.created', 'payout.updated', 'payout.paid']);
    const updated = await eventually(() => given.receiver.received.find(({ event }) => event.type === 'payout.updated'));
    expect(updated.event.data.previous_attributes).toEqual({ status: 'pending', trace_id: null });
  });

  it('refuses more than is available, other accounts and instant ones', async () => {
    await earn();
    const usd = { amount: 1912, currency: 'usd' };
    expect(await errorOf(stripe.payouts.create({ ...usd, amount: 1913 }))).toMatchObject({ statusCode: 400, code: 'balance_insufficient' });
    expect(await errorOf(stripe.payouts.create({ ...usd, currency: 'eur' }))).toMatchObject({ code: 'balance_insufficient' });
    expect(await errorOf(stripe.payouts.create({ ...usd, amount: 0 }))).toMatchObject({ code: 'parameter_invalid_integer' });
    expect(await errorOf(stripe.payouts.create({ amount: 150, currency: 'huf' }))).toMatchObject({ param: 'amount' });
    expect(await errorOf(stripe.payouts.create({ ...usd, destination: 'ba_x' }))).toMatchObject({ code: 'resource_missing' });
    expect((await errorOf(stripe.payouts.create({ ...usd, method: 'instant' }))).message).toContain('does not support');
    expect((await stripe.payouts.create(usd)).amount).toBe(1912);
  });

  it('can be called off while it is pending, which brings the money back', async () => {
    await earn();
    const made = await stripe.payouts.create({ amount: 1000, currency: 'usd' });
    const canceled = await stripe.payouts.cancel(made.id, { expand: ['failure_balance_transaction'] });
    expect(canceled).toMatchObject({ status: 'canceled', failure_balance_transaction: { type: 'payout_cancel', amount: 1000 } });
    expect(await balance()).toEqual([1912, 0]);
    expect(payoutEvents()).toEqual(['payout.created', 'payout.canceled']);
    given.simulator.advanceClock(3 * DAY);
    expect((await stripe.payouts.retrieve(made.id)).status).toBe('canceled');
    expect((await errorOf(stripe.payouts.cancel(made.id))).statusCode).toBe(400);
  });

  it('is listed by status and arrival, and takes metadata', async () => {
    await earn();
    const first = await stripe.payouts.create({ amount: 100, currency: 'usd' });
    given.simulator.advanceClock(DAY);
    const second = await stripe.payouts.create({ amount: 200, currency: 'usd' });
    expect((await stripe.payouts.list({ status: 'pending' })).data.map(({ id }) => id)).toEqual([second.id]);
    const arriving = await stripe.payouts.list({ arrival_date: { lte: first.arrival_date } });
    expect(arriving.data.map(({ id }) => id)).toEqual([first.id]);
    expect((await stripe.payouts.list({ arrival_date: second.arrival_date })).data).toHaveLength(1);
    expect((await stripe.payouts.update(second.id, { metadata: { a: '1' } })).metadata).toEqual({ a: '1' });
    expect(await errorOf(stripe.payouts.retrieve('po_x'))).toMatchObject({ statusCode: 404, message: "No such payout: 'po_x'" });
  });
});

describe('When Stripe pays out by itself', () => {
  it('takes everything available, and its list adds up once it is reconciled', async () => {
    await earn(3);
    const disputed = await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic' });
    await control(given.simulator, 'POST', '/__dashboard/dispute', { payment_intent: disputed.id, amount: 300 });
    given.simulator.advanceClock(2 * DAY + 1);
    const made = await payout();
    expect(made).toMatchObject({ automatic: true, status: 'pending', amount: 4 * 1912 - 1800, reconciliation_status: 'in_progress' });
    expect(await balance()).toEqual([0, 0]);
    expect(await errorOf(stripe.balanceTransactions.list({ payout: made.id }))).toMatchObject({ code: 'payout_reconciliation_not_ready' });
    given.simulator.advanceClock(3601);
    expect(payoutEvents()).toEqual(['payout.created', 'payout.updated', 'payout.reconciliation_completed']);
    const parts = (await stripe.balanceTransactions.list({ payout: made.id })).data;
    expect(parts.map(({ type }) => type)).toEqual(['payout', 'adjustment', 'charge', 'charge', 'charge', 'charge']);
    expect(parts.reduce((sum, { net }) => sum + net, 0)).toBe(0);
    const pages = await stripe.balanceTransactions.list({ payout: made.id, limit: 4, starting_after: parts[0]!.id });
    expect(pages).toMatchObject({ has_more: true, data: parts.slice(1, 5).map(({ id }) => ({ id })) });
    expect(await errorOf(stripe.payouts.cancel(made.id))).toMatchObject({ message: "You can't cancel automatic Stripe payouts." });
  });

  it('leaves the money of a manual payout out, and refuses its list', async () => {
    await earn();
    const manual = await stripe.payouts.create({ amount: 1000, currency: 'usd' });
    expect((await payout({ outcome: 'paid' })).amount).toBe(912);
    expect((await errorOf(stripe.balanceTransactions.list({ payout: manual.id }))).message).toContain('automatic payouts');
    expect(await errorOf(stripe.balanceTransactions.list({ payout: 'po_x' }))).toMatchObject({ code: 'resource_missing' });
  });

  it('fails after it showed paid, and the money goes with the next one', async () => {
    await earn();
    const first = await payout({ outcome: 'paid' });
    expect(first.status).toBe('paid');
    const failed = await payout({ payout: first.id, outcome: 'failed', failure_code: 'no_account' });
    expect(failed).toMatchObject({
      status: 'failed',
      failure_code: 'no_account',
      failure_message: expect.stringContaining('No bank account'),
    });
    const returned = await stripe.balanceTransactions.retrieve(failed.failure_balance_transaction as string);
    expect(returned).toMatchObject({ type: 'payout_failure', amount: 1912, source: first.id });
    expect((await payout({ outcome: 'paid' })).amount).toBe(1912);
    expect(payoutEvents().filter((type) => type !== 'payout.updated')).toEqual([
      'payout.created',
      'payout.reconciliation_completed',
      'payout.paid',
      'payout.failed',
      'payout.created',
      'payout.reconciliation_completed',
      'payout.paid',
    ]);
  });

  it('fails days after its arrival with the fault late_failure', async () => {
    await earn();
    given.simulator.addFault({ fault: 'late_failure', route: 'POST /v1/refunds', ms: 1 });
    given.simulator.addFault({ fault: 'late_failure', route: 'POST /v1/payouts', ms: 3 * DAY * 1000 });
    const { id } = await stripe.payouts.create({ amount: 1000, currency: 'usd' });
    given.simulator.advanceClock(2 * DAY);
    expect((await stripe.payouts.retrieve(id)).status).toBe('paid');
    given.simulator.advanceClock(2 * DAY);
    expect((await stripe.payouts.retrieve(id)).status).toBe('paid');
    given.simulator.advanceClock(DAY);
    expect(await stripe.payouts.retrieve(id)).toMatchObject({ status: 'failed', failure_code: 'account_closed' });
    expect(await balance()).toEqual([1912, 0]);
  });

  it.each([{}, { currency: 'nothing' }, { amount: 5 }, { payout: 'po_x' }, { outcome: 'lost' }])(
    'tells the person what is wrong with %j',
    async (body) => {
      const { status, value } = await control(given.simulator, 'POST', '/__dashboard/payout', body);
      expect(status).toBe(400);
      expect(value).toHaveProperty('error.message');
    },
  );

  it('is in the truth, and silent when asked', async () => {
    await earn();
    const { id } = await payout({ silent: true });
    expect(given.simulator.truth(['payouts']).payouts).toMatchObject([{ id }]);
    expect(payoutEvents()).toEqual([]);
  });
});
