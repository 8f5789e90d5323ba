import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type Stripe from 'stripe';
import { type Given, control, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeAll(async () => {
  given = await givenSimulator({ webhooks: [] });
  ({ stripe } = given);
});
afterAll(() => given.end());

const HOUR = 3_600;
const DAY = 24 * HOUR;

interface Account {
  readonly customers: string[];
  readonly prices: string[];
  readonly meter: string;
}

type Step = (account: Account, pick: number) => Promise<unknown>;

const at = <T>(items: readonly T[], pick: number): T => items[pick % items.length] as T;
const some = (collection: 'subscriptions' | 'invoices' | 'checkoutSessions', pick: number): string =>
  at<{ id: string } | undefined>(given.simulator.world[collection].all(), pick)?.id ?? 'none';

/** What a merchant, a customer and time do, in any order. */
const STEPS: Readonly<Record<string, Step>> = {
  subscribe: ({ customers, prices }, pick) =>
    stripe.subscriptions.create({
      customer: at(customers, pick),
      items: [{ price: at(prices, pick), ...(pick % 3 !== 2 && { quantity: pick % 4 }) }],
      ...(pick % 5 === 0 && { trial_period_days: 1 + (pick % 7), trial_settings: { end_behavior: { missing_payment_method: 'pause' } } }),
      ...(pick % 7 === 0 && { payment_behavior: 'default_incomplete' }),
      ...(pick % 11 === 0 && { collection_method: 'send_invoice', days_until_due: 3 }),
    }),
  change_quantity: async (_, pick) => {
    const id = some('subscriptions', pick);
    const item = given.simulator.world.subscriptions.get(id)?.items.data[0]?.id ?? 'si_x';
    const proration_behavior = at(['create_prorations', 'always_invoice', 'none'] as const, pick);
    return stripe.subscriptions.update(id, { items: [{ id: item, quantity: pick % 5 }], proration_behavior });
  },
  change_price: async ({ prices }, pick) => {
    const id = some('subscriptions', pick);
    const item = given.simulator.world.subscriptions.get(id)?.items.data[0]?.id ?? 'si_x';
    return stripe.subscriptions.update(id, { items: [{ id: item, price: at(prices, pick + 1) }] });
  },
  end_at_period: (_, pick) => stripe.subscriptions.update(some('subscriptions', pick), { cancel_at_period_end: pick % 2 === 0 }),
  end_trial: (_, pick) => stripe.subscriptions.update(some('subscriptions', pick), { trial_end: 'now' }),
  cancel: (_, pick) => stripe.subscriptions.cancel(some('subscriptions', pick), { prorate: pick % 2 === 0, invoice_now: pick % 3 === 0 }),
  resume: (_, pick) => stripe.subscriptions.resume(some('subscriptions', pick)),
  use: ({ customers }, pick) =>
    stripe.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: at(customers, pick), value: String(pick % 50) },
    }),
  pay: (_, pick) =>
    stripe.invoices.pay(some('invoices', pick), at([{}, { payment_method: 'pm_card_visa' }, { paid_out_of_band: true }], pick)),
  finalize: (_, pick) => stripe.invoices.finalizeInvoice(some('invoices', pick)),
  void: (_, pick) => stripe.invoices.voidInvoice(some('invoices', pick)),
  bill: async ({ customers }, pick) => {
    await stripe.invoiceItems.create({ customer: at(customers, pick), amount: (pick % 40) * 100 - 500, currency: 'usd' });
    return stripe.invoices.create({
      customer: at(customers, pick),
      pending_invoice_items_behavior: 'include',
      auto_advance: pick % 2 === 0,
    });
  },
  open_session: ({ customers, prices }, pick) =>
    stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: 'https://x.example',
      customer: at(customers, pick),
      line_items: [{ price: at(prices, pick % 2), quantity: 1 }],
    }),
  pay_session: (_, pick) =>
    control(given.simulator, 'POST', '/__dashboard/pay_checkout', {
      session: some('checkoutSessions', pick),
      payment_method: at(['pm_card_visa', 'pm_card_chargeCustomerFail', 'pm_card_threeDSecure2Required'], pick),
    }),
  leave: ({ customers }, pick) => (pick % 9 === 0 ? stripe.customers.del(at(customers, pick)) : Promise.resolve()),
  hours: (_, pick) => Promise.resolve(given.simulator.advanceClock((pick % 30) * HOUR)),
  weeks: (_, pick) => Promise.resolve(given.simulator.advanceClock((pick % 40) * DAY)),
};

async function openAccount(): Promise<Account> {
  given.simulator.reset();
  const customers = await Promise.all(
    ['pm_card_visa', 'pm_card_chargeCustomerFail', undefined].map(async (card) => {
      const { id } = await stripe.customers.create();
      if (card === undefined) return id;
      const method = await stripe.paymentMethods.attach(card, { customer: id });
      await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
      return id;
    }),
  );
  const meter = (await stripe.billing.meters.create({ display_name: 'x', event_name: 'calls', default_aggregation: { formula: 'sum' } }))
    .id;
  const price = async (more: object): Promise<string> =>
    (await stripe.prices.create({ currency: 'usd', product_data: { name: 'Plan' }, recurring: { interval: 'month' }, ...more })).id;
  const metered = { unit_amount: 7, recurring: { interval: 'month', usage_type: 'metered', meter } };
  return {
    customers,
    meter,
    prices: [
      await price({ unit_amount: 1_000 }),
      await price({ unit_amount: 333, recurring: { interval: 'week' } }),
      await price(metered),
      await price({ unit_amount: 20 }),
    ],
  };
}

/** What must be true whatever happened. */
function checkBooks(): void {
  const { world } = given.simulator;
  for (const invoice of world.invoices.all()) {
    const total = invoice.lines.data.reduce((sum, { amount }) => sum + amount, 0);
    expect(invoice.total).toBe(total);
    const payments = world.invoicePayments.by('invoice', invoice.id);
    const intents = payments.map(({ payment }) => world.paymentIntents.get(payment.payment_intent)!);
    const received = intents.reduce((sum, { amount_received: amount }) => sum + amount, 0);
    if (invoice.status === 'paid') expect(invoice.amount_paid).toBe(invoice['amount_paid_off_stripe'] ?? received);
    else expect([invoice.id, received]).toEqual([invoice.id, 0]);
    if (invoice.status === 'void') expect(intents.every(({ status }) => status === 'canceled')).toBe(true);
    expect(invoice.next_payment_attempt === null || invoice.status === 'open').toBe(true);
  }
  for (const { id, status, ended_at: ended, items, latest_invoice: latest } of world.subscriptions.all()) {
    expect([id, ended !== null]).toEqual([id, status === 'canceled' || status === 'incomplete_expired']);
    expect(items.data.every((item) => item.current_period_start < item.current_period_end)).toBe(true);
    expect(world.invoices.get(latest ?? '')).toBeDefined();
    const renewing = ['trialing', 'active', 'past_due', 'unpaid'].includes(status);
    if (renewing) expect(items.data[0]!.current_period_end).toBeGreaterThan(world.clock.nowSeconds() - 2);
  }
  for (const session of world.checkoutSessions.all()) {
    if (session.status === 'complete') expect(world.subscriptions.get(session.subscription ?? '')).toBeDefined();
  }
}

describe('Whatever merchants, customers and time do to subscriptions', () => {
  it('no request fails inside, and the books stay right', async () => {
    const done = new Set<string>();
    const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat({ max: 10_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const account = await openAccount();
        for (const [name, pick] of steps) {
          await STEPS[name]!(account, pick).then(
            () => done.add(name),
            (error: Stripe.errors.StripeError) => expect([400, 402, 404]).toContain(error.statusCode),
          );
          checkBooks();
        }
      }),
      { seed: Number(process.env['RUBBISH_SEED'] ?? 20_261_121), numRuns: 25 * Number(process.env['RUBBISH_TIMES'] ?? 1) },
    );
    expect(done.size).toBeGreaterThan(10);
  }, 120_000);
});
