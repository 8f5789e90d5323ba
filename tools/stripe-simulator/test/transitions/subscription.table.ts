import { expect } from '@jest/globals';
import type Stripe from 'stripe';
import { type SubscriptionStatus } from '../../src/subscriptions/subscription.js';
import { type Given, control } from '../given.js';
import { after } from './operations.js';
import { type Cell, type Key, type Table, type Told, each, no, to } from './table.js';

type State =
  | SubscriptionStatus
  | 'active (to send)'
  | 'active (ending)'
  | 'active (renewing)'
  | 'incomplete (declined)'
  | 'incomplete (authentication)'
  | 'past_due (to send)'
  | 'paused (resuming)';
type Name =
  | 'update metadata'
  | 'update description'
  | 'update the payment method'
  | 'update nothing'
  | 'update the quantity'
  | 'update the quantity and bill it'
  | 'cancel at the end of the period'
  | 'do not cancel at the end of the period'
  | 'end the trial'
  | 'cancel'
  | 'cancel and settle'
  | 'resume'
  | 'pay the latest invoice'
  | 'void the latest invoice'
  | 'forgive the latest invoice'
  | 'pass authentication'
  | 'delete the customer'
  | 'an hour later'
  | 'a day later'
  | 'a month later';

const DAY = 86_400;
const HOUR = 3_600;
const ACTIVE = ['active', 'active (to send)', 'active (ending)', 'active (renewing)'] as const;
const INCOMPLETE = ['incomplete', 'incomplete (declined)', 'incomplete (authentication)'] as const;
const PAST_DUE = ['past_due', 'past_due (to send)'] as const;
const PAUSED = ['paused', 'paused (resuming)'] as const;
const ENDED = ['incomplete_expired', 'canceled'] as const;
const LIVING = [...ACTIVE, 'trialing', ...PAST_DUE, 'unpaid', ...PAUSED] as const;
const ALL: readonly State[] = [...LIVING, ...INCOMPLETE, ...ENDED];

const SENT = { collection_method: 'send_invoice', days_until_due: 10 } as const;
const PAUSING = { trial_period_days: 7, trial_settings: { end_behavior: { missing_payment_method: 'pause' } } } as const;

const addCard = async ({ stripe }: Given, customer: string, card: string): Promise<string> =>
  (await stripe.paymentMethods.attach(card, { customer })).id;
const setDefault = async (given: Given, customer: string, card: string): Promise<void> => {
  const default_payment_method = await addCard(given, customer, card);
  await given.stripe.customers.update(customer, { invoice_settings: { default_payment_method } });
};
/** A customer with a good card, which pays unless `card` names another or none. */
const create = async (given: Given, more: object = {}, card: string | null = 'pm_card_visa'): Promise<Stripe.Subscription> => {
  const { stripe } = given;
  const { id: customer } = await stripe.customers.create();
  const recurring = { interval: 'month' } as const;
  const price = await stripe.prices.create({ currency: 'usd', unit_amount: 1_500, recurring, product_data: { name: 'Plan' } });
  await addCard(given, customer, 'pm_card_mastercard');
  if (card !== null) await setDefault(given, customer, card);
  return stripe.subscriptions.create({ customer, items: [{ price: price.id }], ...more });
};
const created = async (given: Given, more: object = {}, card?: string): Promise<string> => (await create(given, more, card)).id;
const renewing = async (given: Given, card: string): Promise<string> => {
  const { id, customer, items } = await create(given);
  await setDefault(given, customer as string, card);
  given.simulator.advanceClock(items.data[0]!.current_period_end - given.simulator.world.clock.nowSeconds() + 1);
  return id;
};
const later = async (given: Given, id: string, seconds: number): Promise<string> => {
  given.simulator.advanceClock(seconds);
  return id;
};
const FAILING = 'pm_card_chargeCustomerFail';
const paused = async (given: Given, card: string): Promise<string> => {
  const { id, customer } = await create(given, PAUSING, null);
  given.simulator.advanceClock(7 * DAY + 1);
  await setDefault(given, customer as string, card);
  return id;
};
const resuming = async (given: Given): Promise<string> =>
  later(given, (await given.stripe.subscriptions.resume(await paused(given, FAILING))).id, 2);

const ASKING = 'pm_card_threeDSecure2Required';

const latestOf = async ({ stripe }: Given, id: string): Promise<string> =>
  (await stripe.subscriptions.retrieve(id)).latest_invoice as string;
const itemsOf = async ({ stripe }: Given, id: string): Promise<{ id: string; quantity: number }[]> => [
  { id: (await stripe.subscriptions.retrieve(id)).items.data[0]!.id, quantity: 2 },
];

const SOME = expect.any(Number);
const ITEMS = { data: [expect.objectContaining({ object: 'subscription_item', current_period_end: SOME })] };
const CREATED = 'customer.subscription.created';
const UPDATED = 'customer.subscription.updated';
const DELETED = 'customer.subscription.deleted';
const OPENED = ['payment_intent.created', 'invoice.finalized'];
const PAID = [
  'charge.succeeded',
  'payment_intent.succeeded',
  'invoice_payment.paid',
  'invoice.updated',
  'invoice.paid',
  'invoice.payment_succeeded',
];
const FREE = ['invoice.created', 'invoice.finalized', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded'];
const DECLINED = ['charge.failed', 'payment_intent.payment_failed', 'invoice.updated', 'invoice.payment_failed'];
const ASKED = ['payment_intent.requires_action', 'invoice.updated', 'invoice.payment_action_required'];
const first = ['invoice.created', ...OPENED];

const updated = (previous: object): Told => [UPDATED, previous];
const invoiceUpdated = (previous: object): Told => ['invoice.updated', previous];
const without = (events: readonly string[]): string[] => events.filter((type) => type !== 'invoice.updated');
const TRIED = { attempt_count: 0, attempted: false };
const UNPAID = { amount_paid: 0, amount_remaining: 1_500, auto_advance: true, status: 'open', status_transitions: { paid_at: null } };
const paying = (previous: object): Told[] => [...without(PAID), invoiceUpdated({ ...UNPAID, ...previous })];
/** The intent of a subscription's invoice keeps the method for later. */
const payingWithNewCard = (previous: object): Told[] => [...paying(previous), 'payment_method.attached'];
const NEXT = { next_payment_attempt: SOME };
const RENEWED = { items: ITEMS, latest_invoice: expect.stringMatching(/^in_/) };
const VOIDED = { auto_advance: true, status: 'open', status_transitions: { voided_at: null } };
const voiding = (previous: object): Told[] => ['payment_intent.canceled', 'invoice.voided', invoiceUpdated({ ...VOIDED, ...previous })];
const forgiving = (previous: object): Told[] => [
  'invoice.marked_uncollectible',
  invoiceUpdated({
    ...{ auto_advance: true, status: 'open', status_details: null, status_transitions: { marked_uncollectible_at: null } },
    ...previous,
  }),
];
const renewedAndPaid = (more: object = {}): Told[] => ['invoice.created', updated({ ...RENEWED, ...more }), ...OPENED, ...paying(TRIED)];
const failedAgain = (more: object = {}): Told[] => [...without(DECLINED), invoiceUpdated({ attempt_count: 1, ...NEXT, ...more })];
const expired: Told[] = [...voiding({}), updated({ ended_at: null, status: 'incomplete' })];

const none = no<State>();
const frozen = no<State>('invalid_canceled_subscription_fields');
const gone = no<State>('resource_missing', 404);
const refused = each(ALL, () => none);
const same = each(ALL, (state) => to(state));
/** What can be changed while a subscription lives. */
const living = (cell: (state: State) => Cell<State>): Record<State, Cell<State>> => ({
  ...each(LIVING, cell),
  ...each(INCOMPLETE, () => none),
  ...each(ENDED, () => frozen),
});
const prorated: Told[] = ['invoiceitem.created', 'invoiceitem.created', updated({ items: ITEMS })];
const billedNow: Told[] = ['invoiceitem.created', 'invoiceitem.created', 'invoice.created', ...OPENED];
const ending = { cancel_at: null, cancel_at_period_end: false, canceled_at: null, cancellation_details: { reason: null } };
const resumed: Told[] = [updated({ status: 'paused' }), 'customer.subscription.resumed'];
const restarted = { ...RENEWED, billing_cycle_anchor: SOME };
/** What ends with a subscription. */
const cancelled = (more: Told[] = []): Record<State, Cell<State>> => {
  const end = (...before: Told[]): Cell<State> => to('canceled', ...before, DELETED, ...more);
  return {
    ...each(ALL, () => end()),
    ...each(INCOMPLETE, () => to('incomplete_expired', ...voiding({}), DELETED, ...more)),
    ...each(ENDED, () => gone),
    'active (to send)': end(invoiceUpdated({ auto_advance: true })),
    'active (renewing)': end(invoiceUpdated({ auto_advance: true, automatically_finalizes_at: SOME })),
    past_due: end(invoiceUpdated({ auto_advance: true, ...NEXT })),
    'past_due (to send)': end(invoiceUpdated({ auto_advance: true })),
    unpaid: end(invoiceUpdated({ auto_advance: true })),
    'paused (resuming)': end(invoiceUpdated({ auto_advance: true, ...NEXT })),
  };
};
const CREDITED: Told[] = [
  ...['invoiceitem.created', ...without(FREE), DELETED],
  invoiceUpdated({ ...TRIED, auto_advance: true, status: 'open', status_transitions: { paid_at: null } }),
  ['customer.updated', { balance: 0 }],
];

const change =
  (params: Stripe.SubscriptionUpdateParams) =>
  ({ stripe }: Given, id: string, key: Key): Promise<unknown> =>
    stripe.subscriptions.update(id, params, key);
const changeQuantity =
  (params: Stripe.SubscriptionUpdateParams) =>
  async (given: Given, id: string, key: Key): Promise<unknown> =>
    given.stripe.subscriptions.update(id, { items: await itemsOf(given, id), ...params }, key);

export const subscriptions: Table<State, Name> = {
  object: 'subscription',
  settings: { invoiceRetrySeconds: [DAY], afterLastRetry: 'unpaid' },
  about: /^(customer\.subscription|invoice[._]|payment_intent|charge)/,
  status: async ({ stripe }, id) => (await stripe.subscriptions.retrieve(id)).status,
  states: {
    active: { into: (given) => created(given), events: [...first, ...PAID, CREATED] },
    'active (to send)': { into: (given) => created(given, SENT), events: [...first, CREATED] },
    'active (ending)': { into: (given) => created(given, { cancel_at_period_end: true }), events: [...first, ...PAID, CREATED] },
    'active (renewing)': {
      into: (given) => renewing(given, 'pm_card_visa'),
      events: [...first, ...PAID, CREATED, 'invoice.created', UPDATED],
    },
    trialing: { into: (given) => created(given, { trial_period_days: 7 }), events: [...FREE, CREATED] },
    incomplete: { into: (given) => created(given, { payment_behavior: 'default_incomplete' }), events: [...first, CREATED] },
    'incomplete (declined)': { into: (given) => created(given, {}, FAILING), events: [...first, ...DECLINED, CREATED] },
    'incomplete (authentication)': { into: (given) => created(given, {}, ASKING), events: [...first, ...ASKED, CREATED] },
    incomplete_expired: {
      into: async (given) => later(given, await created(given, { payment_behavior: 'default_incomplete' }), 23 * HOUR + 1),
      events: [...first, CREATED, 'payment_intent.canceled', 'invoice.updated', 'invoice.voided', UPDATED],
    },
    past_due: {
      into: async (given) => later(given, await renewing(given, FAILING), HOUR + 1),
      events: [...first, ...PAID, CREATED, 'invoice.created', UPDATED, ...OPENED, ...DECLINED, UPDATED],
    },
    'past_due (to send)': {
      into: async (given) => later(given, await created(given, SENT), 10 * DAY + 1),
      events: [...first, CREATED, UPDATED],
    },
    unpaid: {
      into: async (given) => later(given, await later(given, await renewing(given, FAILING), HOUR + 1), DAY + 1),
      events: [...first, ...PAID, CREATED, 'invoice.created', UPDATED, ...OPENED, ...DECLINED, UPDATED, ...DECLINED, UPDATED],
    },
    paused: {
      into: (given) => paused(given, 'pm_card_visa'),
      events: [...FREE, CREATED, 'customer.subscription.trial_will_end', UPDATED, 'customer.subscription.paused'],
    },
    'paused (resuming)': {
      into: resuming,
      events: [
        ...[...FREE, CREATED, 'customer.subscription.trial_will_end', UPDATED, 'customer.subscription.paused'],
        ...[...first, UPDATED, ...DECLINED],
      ],
    },
    canceled: {
      into: async (given) => (await given.stripe.subscriptions.cancel(await created(given))).id,
      events: [...first, ...PAID, CREATED, DELETED],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: change({ metadata: { a: '1' } }) },
    'update description': { by: 'request', run: change({ description: 'Tea' }) },
    'update the payment method': {
      by: 'request',
      run: async ({ stripe }, id, key) => {
        const { customer } = await stripe.subscriptions.retrieve(id);
        const { data } = await stripe.paymentMethods.list({ customer: customer as string });
        return stripe.subscriptions.update(id, { default_payment_method: data.at(-1)!.id }, key);
      },
    },
    'update nothing': { by: 'request', run: change({ metadata: {} }) },
    'update the quantity': { by: 'request', run: changeQuantity({}) },
    'update the quantity and bill it': { by: 'request', run: changeQuantity({ proration_behavior: 'always_invoice' }) },
    'cancel at the end of the period': {
      by: 'request',
      run: (given, id, key) => {
        given.simulator.advanceClock(2);
        return change({ cancel_at_period_end: true })(given, id, key);
      },
    },
    'do not cancel at the end of the period': { by: 'request', run: change({ cancel_at_period_end: false }) },
    'end the trial': { by: 'request', run: change({ trial_end: 'now' }) },
    cancel: { by: 'keyless request', run: ({ stripe }, id, key) => stripe.subscriptions.cancel(id, {}, key) },
    'cancel and settle': {
      by: 'keyless request',
      run: ({ stripe }, id, key) => stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true }, key),
    },
    resume: { by: 'request', run: ({ stripe }, id, key) => stripe.subscriptions.resume(id, {}, key) },
    'pay the latest invoice': {
      by: 'request',
      run: async (given, id, key) => given.stripe.invoices.pay(await latestOf(given, id), { payment_method: 'pm_card_visa' }, key),
    },
    'void the latest invoice': {
      by: 'request',
      run: async (given, id, key) => given.stripe.invoices.voidInvoice(await latestOf(given, id), {}, key),
    },
    'forgive the latest invoice': {
      by: 'request',
      run: async (given, id, key) => given.stripe.invoices.markUncollectible(await latestOf(given, id), {}, key),
    },
    'pass authentication': {
      by: 'person',
      run: async (given, id) => {
        const { data } = await given.stripe.invoicePayments.list({ invoice: await latestOf(given, id) });
        const payment_intent = data[0]?.payment.payment_intent ?? 'pi_none';
        return control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent });
      },
    },
    'delete the customer': {
      by: 'keyless request',
      run: async ({ stripe }, id, key) => stripe.customers.del((await stripe.subscriptions.retrieve(id)).customer as string, {}, key),
    },
    'an hour later': after(HOUR + 1),
    'a day later': after(DAY + 1),
    'a month later': after(32 * DAY),
  },
  cells: {
    'update metadata': each(ALL, (state) => to(state, updated({ metadata: { a: null } }))),
    'update description': living((state) => to(state, updated({ description: null }))),
    'update the payment method': {
      ...each(ALL, (state) => to(state, updated({ default_payment_method: null }))),
      ...each(ENDED, () => frozen),
    },
    'update nothing': same,
    'update the quantity': {
      ...living((state) => to(state, updated({ items: ITEMS }))),
      ...each([...ACTIVE, ...PAST_DUE], (state) => to(state, ...prorated)),
    },
    'update the quantity and bill it': {
      ...living((state) => to(state, updated({ items: ITEMS }))),
      ...each(['active', 'active (ending)', 'active (renewing)'], (state) =>
        to(state, ...billedNow, ...paying(TRIED).map(ofAnyAmount), updated(RENEWED)),
      ),
      ...each(['active (to send)', 'past_due (to send)'], (state) => to(state, ...billedNow, updated(RENEWED))),
      past_due: to(
        'past_due',
        ...billedNow,
        ...without(DECLINED),
        invoiceUpdated({ ...TRIED, next_payment_attempt: null }),
        updated(RENEWED),
      ),
    },
    'cancel at the end of the period': {
      ...living((state) => to(state, updated(ending))),
      paused: none,
      'active (ending)': to('active', updated({ canceled_at: SOME })),
    },
    'do not cancel at the end of the period': {
      ...living((state) => to(state)),
      'active (ending)': to(
        'active',
        updated({
          cancel_at: SOME,
          cancel_at_period_end: true,
          canceled_at: SOME,
          cancellation_details: { reason: 'cancellation_requested' },
        }),
      ),
    },
    'end the trial': {
      ...living(() => none),
      trialing: to(
        'active',
        'invoice.created',
        updated({ ...restarted, status: 'trialing', trial_end: SOME }),
        ...OPENED,
        ...paying(TRIED),
      ),
    },
    cancel: cancelled(),
    'cancel and settle': {
      ...cancelled(),
      ...each(['active', 'active (ending)'], () => to('canceled', ...CREDITED)),
      'active (to send)': to('canceled', ...CREDITED, invoiceUpdated({ auto_advance: true })),
      'active (renewing)': to('canceled', ...CREDITED, invoiceUpdated({ auto_advance: true, automatically_finalizes_at: SOME })),
      past_due: to('canceled', ...CREDITED, invoiceUpdated({ auto_advance: true, ...NEXT })),
      'past_due (to send)': to('canceled', ...CREDITED, invoiceUpdated({ auto_advance: true })),
    },
    resume: {
      ...refused,
      paused: to('active', 'invoice.created', updated(restarted), ...OPENED, ...paying(TRIED), ...resumed),
      'paused (resuming)': to(
        'paused',
        ...first,
        updated(restarted),
        ...without(DECLINED),
        invoiceUpdated({ ...TRIED, next_payment_attempt: null }),
      ),
    },
    'pay the latest invoice': {
      ...refused,
      'active (to send)': to('active', ...payingWithNewCard(TRIED)),
      'active (renewing)': to('active', ...OPENED, ...payingWithNewCard(TRIED)),
      incomplete: to('active', ...payingWithNewCard(TRIED), updated({ status: 'incomplete' })),
      ...each(['incomplete (declined)', 'incomplete (authentication)'], () =>
        to('active', ...payingWithNewCard({}), updated({ status: 'incomplete' })),
      ),
      past_due: to('active', ...payingWithNewCard(NEXT), updated({ status: 'past_due' })),
      'past_due (to send)': to('active', ...payingWithNewCard(TRIED), updated({ status: 'past_due' })),
      unpaid: to('active', ...payingWithNewCard({}), updated({ status: 'unpaid' })),
      'paused (resuming)': to('active', ...payingWithNewCard(NEXT), ...resumed),
    },
    'void the latest invoice': {
      ...refused,
      'active (to send)': to('active', ...voiding({})),
      ...each(INCOMPLETE, () => to('incomplete_expired', ...expired)),
      past_due: to('active', ...voiding(NEXT), updated({ status: 'past_due' })),
      'past_due (to send)': to('active', ...voiding({}), updated({ status: 'past_due' })),
      unpaid: to('active', ...voiding({}), updated({ status: 'unpaid' })),
      'paused (resuming)': to('paused', ...voiding(NEXT)),
    },
    'forgive the latest invoice': {
      ...refused,
      'active (to send)': to('active', ...forgiving({})),
      ...each(INCOMPLETE, () => to('incomplete', ...forgiving({}))),
      past_due: to('active', ...forgiving(NEXT), updated({ status: 'past_due' })),
      'past_due (to send)': to('active', ...forgiving({}), updated({ status: 'past_due' })),
      unpaid: to('active', ...forgiving({}), updated({ status: 'unpaid' })),
      'paused (resuming)': to('active', ...forgiving(NEXT), ...resumed),
    },
    'pass authentication': {
      ...refused,
      ...each(['trialing', 'active (renewing)', 'paused'], () => no('resource_missing')),
      'incomplete (authentication)': to('active', ...paying({}), updated({ status: 'incomplete' })),
    },
    'delete the customer': { ...cancelled(['customer.deleted']), ...each(ENDED, (state) => to(state, 'customer.deleted')) },
    'an hour later': { ...same, 'active (renewing)': to('active', ...OPENED, ...paying(TRIED)) },
    'a day later': {
      ...same,
      'active (renewing)': to('active', ...OPENED, ...paying(TRIED)),
      ...each(INCOMPLETE, () => to('incomplete_expired', ...expired)),
      past_due: to('unpaid', ...failedAgain(), updated({ status: 'past_due' })),
      'paused (resuming)': to('paused', ...failedAgain()),
    },
    'a month later': {
      ...same,
      active: to('active', ...renewedAndPaid()),
      'active (to send)': to('past_due', updated({ status: 'active' }), 'invoice.created', updated(RENEWED), ...OPENED, 'invoice.sent'),
      'active (ending)': to('canceled', DELETED),
      'active (renewing)': to('active', ...OPENED, ...paying(TRIED), ...renewedAndPaid()),
      trialing: to('active', 'customer.subscription.trial_will_end', ...renewedAndPaid({ status: 'trialing' })),
      ...each(INCOMPLETE, () => to('incomplete_expired', ...expired)),
      past_due: to('unpaid', ...failedAgain(), updated({ status: 'past_due' }), 'invoice.created', updated(RENEWED)),
      'past_due (to send)': to('past_due', 'invoice.created', updated(RENEWED), ...OPENED, 'invoice.sent'),
      unpaid: to('unpaid', 'invoice.created', updated(RENEWED)),
      'paused (resuming)': to('paused', ...failedAgain()),
    },
  },
};

/** Prorations are by the second. */
function ofAnyAmount(told: Told): Told {
  return typeof told === 'string' ? told : [told[0], { ...told[1], amount_remaining: SOME }];
}
