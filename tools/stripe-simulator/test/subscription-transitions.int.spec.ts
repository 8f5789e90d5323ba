import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { OUTCOMES, type OutcomeName } from '../src/subscriptions/transitions.js';
import { type Given, control, givenSimulator } from './given.js';
import { causeOf, changesIn } from './told.js';

const DAY = 86_400;
const HOUR = 3_600;

let given: Given;
let stripe: Stripe;
let customer: string;
let price: string;
beforeAll(async () => {
  given = await givenSimulator({ invoiceRetrySeconds: [DAY] });
  ({ stripe } = given);
});
beforeEach(async () => {
  given.simulator.reset();
  customer = (await stripe.customers.create()).id;
  await setDefault('pm_card_visa');
  price = (
    await stripe.prices.create({ currency: 'usd', unit_amount: 1_500, recurring: { interval: 'month' }, product_data: { name: 'Plan' } })
  ).id;
});
afterAll(() => given.end());

const setDefault = async (card: string): Promise<string> => {
  const { id } = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
  return id;
};
const create = (more: object = {}): Promise<Stripe.Subscription> => stripe.subscriptions.create({ customer, items: [{ price }], ...more });
const advance = (seconds: number): void => given.simulator.advanceClock(seconds);
const untilRenewal = ({ items }: Stripe.Subscription): number =>
  items.data[0]!.current_period_end - given.simulator.world.clock.nowSeconds() + 1;
const noMethod = { trial_period_days: 5, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } } as const;
const paused = async (): Promise<Stripe.Subscription> => {
  customer = (await stripe.customers.create()).id;
  const subscription = await create(noMethod);
  advance(5 * DAY + 1);
  return stripe.subscriptions.retrieve(subscription.id);
};
const failing = async (): Promise<Stripe.Subscription> => {
  const subscription = await create();
  await setDefault('pm_card_chargeCustomerFail');
  advance(untilRenewal(subscription));
  return subscription;
};
const pastDue = async (): Promise<Stripe.Subscription> => {
  const { id } = await failing();
  advance(HOUR + 1);
  return stripe.subscriptions.retrieve(id);
};

describe('The table of outcomes of a subscription', () => {
  let start = 0;
  const mark = (): void => {
    start = given.simulator.world.events.records.size;
  };
  const before = async (step: () => unknown): Promise<void> => {
    mark();
    await step();
  };

  const BRING: Readonly<Record<OutcomeName, () => Promise<unknown>>> = {
    created_active: () => before(() => create()),
    created_trialing: () => before(() => create({ trial_period_days: 7 })),
    created_declined: async () => setDefault('pm_card_chargeCustomerFail').then(() => before(() => create())),
    created_action_required: async () => setDefault('pm_card_threeDSecure2Required').then(() => before(() => create())),
    created_unpaid: () => before(() => create({ payment_behavior: 'default_incomplete' })),
    first_paid: async () => {
      const { latest_invoice: invoice } = await create({ payment_behavior: 'default_incomplete' });
      await before(() => stripe.invoices.pay(invoice as string));
    },
    first_never_paid: async () => create({ payment_behavior: 'default_incomplete' }).then(() => before(() => advance(23 * HOUR + 1))),
    updated: async () => create().then(({ id }) => before(() => stripe.subscriptions.update(id, { description: 'x' }))),
    renewed: async () => create().then((one) => before(() => advance(untilRenewal(one)))),
    renewal_paid: async () => {
      advance(untilRenewal(await create()));
      await before(() => advance(HOUR + 1));
    },
    renewal_failed: async () => failing().then(() => before(() => advance(HOUR + 1))),
    retry_paid: async () => {
      await pastDue();
      await setDefault('pm_card_visa');
      await before(() => advance(DAY + 1));
    },
    last_retry_failed: async () => pastDue().then(() => before(() => advance(DAY + 1))),
    cancel_at_period_end: async () =>
      create().then(({ id }) => before(() => stripe.subscriptions.update(id, { cancel_at_period_end: true }))),
    ended_at_period_end: async () => create({ cancel_at_period_end: true }).then((one) => before(() => advance(untilRenewal(one)))),
    canceled: async () => create().then(({ id }) => before(() => stripe.subscriptions.cancel(id))),
    trial_will_end: async () => create({ trial_period_days: 7 }).then(() => before(() => advance(4 * DAY + 1))),
    trial_ended: async () => {
      await create({ trial_period_days: 7 });
      advance(5 * DAY);
      await before(() => advance(2 * DAY + 1));
    },
    trial_ended_without_method: async () => {
      customer = (await stripe.customers.create()).id;
      await create(noMethod);
      advance(4 * DAY);
      await before(() => advance(DAY + 1));
    },
    resumed: async () => {
      const { id } = await paused();
      await setDefault('pm_card_visa');
      await before(() => stripe.subscriptions.resume(id));
    },
  };

  const TRIED = { attempt_count: 0, attempted: false };
  const PAYING = {
    ...TRIED,
    amount_paid: 0,
    amount_remaining: 1_500,
    auto_advance: true,
    status: 'open',
    status_transitions: { paid_at: null },
  };
  const { amount_paid: _, amount_remaining: __, ...PAYING_NOTHING } = PAYING;
  const DUE = expect.any(Number);
  const PERIOD = {
    items: { data: [expect.objectContaining({ object: 'subscription_item', current_period_end: DUE })] },
    latest_invoice: expect.stringMatching(/^in_/),
  };
  /** What `invoice.updated` and `customer.subscription.updated` say that there was before, in their order. */
  const BEFORE: Readonly<Partial<Record<OutcomeName, readonly object[]>>> = {
    created_active: [PAYING],
    created_trialing: [PAYING_NOTHING],
    created_declined: [TRIED],
    created_action_required: [TRIED],
    first_paid: [PAYING, { status: 'incomplete' }],
    first_never_paid: [
      { auto_advance: true, status: 'open', status_transitions: { voided_at: null } },
      { ended_at: null, status: 'incomplete' },
    ],
    updated: [{ description: null }],
    renewed: [PERIOD],
    renewal_paid: [PAYING],
    renewal_failed: [{ ...TRIED, next_payment_attempt: null }, { status: 'active' }],
    retry_paid: [
      {
        amount_paid: 0,
        amount_remaining: 1_500,
        attempt_count: 1,
        auto_advance: true,
        next_payment_attempt: DUE,
        status: 'open',
        status_transitions: { paid_at: null },
      },
      { status: 'past_due' },
    ],
    last_retry_failed: [{ attempt_count: 1, next_payment_attempt: DUE }, { auto_advance: true }],
    cancel_at_period_end: [{ cancel_at: null, cancel_at_period_end: false, canceled_at: null, cancellation_details: { reason: null } }],
    trial_ended: [{ ...PERIOD, status: 'trialing' }],
    trial_ended_without_method: [{ status: 'trialing' }],
    resumed: [{ ...PERIOD, billing_cycle_anchor: DUE }, PAYING, { status: 'paused' }],
  };
  const BY_ITSELF = /^(first_never_paid|renew|retry_|last_retry_|ended_at_|trial_)/;

  it.each(Object.keys(OUTCOMES) as OutcomeName[])('%s: exactly its events, in its state', async (name) => {
    await BRING[name]();
    const cause = causeOf(given, BY_ITSELF.test(name) ? 'stripe' : 'request');
    const written = given.simulator.world.events.records
      .all()
      .slice(start)
      .map(({ event }) => event)
      .filter(({ type }) => type !== 'charge.updated');
    expect(written.map(({ type }) => type)).toEqual(OUTCOMES[name].events);
    expect(changesIn(written)).toEqual(BEFORE[name] ?? []);
    for (const { request } of written) expect(request).toEqual(cause);
    expect(given.simulator.world.subscriptions.all()[0]?.status).toBe(OUTCOMES[name].status);
  });

  it('is finished by the customer when the card asks for it', async () => {
    await setDefault('pm_card_threeDSecure2Required');
    const { id, latest_invoice: invoice } = await create();
    const [payment] = (await stripe.invoicePayments.list({ invoice: invoice as string })).data;
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: payment!.payment.payment_intent });
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
  });
});
