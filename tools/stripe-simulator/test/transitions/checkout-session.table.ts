import { expect } from '@jest/globals';
import type Stripe from 'stripe';
import { type Given, control } from '../given.js';
import { after, dashboard } from './operations.js';
import { type Cell, type Operation, type Table, type Told, each, fails, no, refuses, to } from './table.js';

const OPEN = [
  ...['open/unpaid', 'open/unpaid (declined)', 'open/unpaid (authentication)', 'open/unpaid (manual)', 'open/unpaid (free)'],
  ...['open/unpaid (plan)', 'open/unpaid (plan declined)', 'open/unpaid (plan authentication)', 'open/unpaid (trial)'],
  ...['open/no_payment_required (setup)', 'open/no_payment_required (setup declined)'],
  'open/no_payment_required (setup authentication)',
] as const;
const OVER = [
  ...['complete/paid', 'complete/paid (late)', 'complete/unpaid (pending)', 'complete/unpaid (failed)', 'complete/unpaid (authorized)'],
  ...['complete/no_payment_required (free)', 'complete/paid (plan)', 'complete/no_payment_required (trial)'],
  ...['complete/no_payment_required (setup)', 'expired/unpaid', 'expired/unpaid (declined)', 'expired/unpaid (plan declined)'],
  'expired/no_payment_required (setup declined)',
] as const;
type State = (typeof OPEN)[number] | (typeof OVER)[number];
type Name =
  | 'update metadata'
  | 'show its page'
  | 'expire'
  | 'pay'
  | 'pay as the CLI does'
  | 'pay with a card that fails later'
  | 'pay with a declining card'
  | 'pay with a card that asks'
  | 'pay with a bank account'
  | 'pass authentication'
  | 'fail authentication'
  | 'capture its intent'
  | 'cancel its intent'
  | 'cancel its setup intent'
  | 'an hour later'
  | 'a day later';
const ALL: readonly State[] = [...OPEN, ...OVER];

const DECLINING = 'pm_card_chargeDeclined';
/** Can be saved, but not charged. */
const FAILING = 'pm_card_chargeCustomerFail';
const ASKING = 'pm_card_threeDSecure2Required';
const BANK = 'pm_usBankAccount_success';

const item = (more: object = {}): Stripe.Checkout.SessionCreateParams.LineItem => ({
  quantity: 1,
  price_data: { currency: 'usd', unit_amount: 900, product_data: { name: 'Tea' }, ...more },
});
const create = async ({ stripe }: Given, more: object = {}): Promise<string> =>
  (await stripe.checkout.sessions.create({ mode: 'payment', success_url: 'https://shop.example', line_items: [item()], ...more })).id;
const PLAN = { mode: 'subscription', line_items: [item({ recurring: { interval: 'month' } })] };
const TRIAL = { ...PLAN, subscription_data: { trial_period_days: 10 } };
const SETUP = { mode: 'setup', currency: 'usd', line_items: undefined, customer_creation: 'always' };
const MANUAL = { payment_intent_data: { capture_method: 'manual' } };
const FREE = { line_items: [item({ unit_amount: 0 })] };

const attempt = async (given: Given, session: string, payment_method = 'pm_card_visa'): Promise<string> => {
  await control(given.simulator, 'POST', '/__dashboard/pay_checkout', { session, payment_method });
  return session;
};
const tried =
  (more: object, method?: string) =>
  async (given: Given): Promise<string> =>
    attempt(given, await create(given, more), method);
const expired =
  (more: object, method: string) =>
  async (given: Given): Promise<string> =>
    (await given.stripe.checkout.sessions.expire(await tried(more, method)(given))).id;
const settled =
  (method: string) =>
  async (given: Given): Promise<string> => {
    const id = await tried({}, method)(given);
    given.simulator.advanceClock(3_600);
    return id;
  };

const PAID = ['charge.succeeded', 'payment_intent.succeeded'];
const COMPLETED = 'checkout.session.completed';
const EXPIRED = 'checkout.session.expired';
const MADE = 'payment_intent.created';
const DECLINED = ['charge.failed', 'payment_intent.payment_failed'];
const PENDING = ['charge.pending', 'payment_intent.processing'];
const ASKED = 'payment_intent.requires_action';
const HELD = ['charge.succeeded', 'payment_intent.amount_capturable_updated'];
const CANCELED = 'payment_intent.canceled';
const SETUP_MADE = 'setup_intent.created';
const ATTACHED = 'payment_method.attached';

const TRIED = { attempt_count: 0, attempted: false };
const UNPAID = { amount_paid: 0, amount_remaining: 900, auto_advance: true, status: 'open', status_transitions: { paid_at: null } };
const invoiceUpdated = (previous: object): Told => ['invoice.updated', previous];
const BILLED = ['invoice.created', MADE, 'invoice.finalized'];
const invoicePaid = (previous: object): Told[] => [
  ...[...PAID, 'invoice_payment.paid', 'invoice.paid', 'invoice.payment_succeeded', COMPLETED],
  invoiceUpdated({ ...UNPAID, ...previous }),
];
const SUBSCRIBED = 'customer.subscription.created';
const subscriptionUpdated = (previous: object): Told => ['customer.subscription.updated', previous];
const OWN = expect.stringMatching(/^pm_/);
const TRIAL_STARTED: Told[] = [
  ...[ATTACHED, 'invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded', SUBSCRIBED, COMPLETED],
  invoiceUpdated({ ...TRIED, auto_advance: true, status: 'open', status_transitions: { paid_at: null } }),
];
/** The second attempt pays what the first has made. */
const paidAfterAll: Told[] = [
  ATTACHED,
  subscriptionUpdated({ default_payment_method: OWN }),
  ...invoicePaid({}),
  subscriptionUpdated({ status: 'incomplete' }),
];
const NEW_CUSTOMER = 'customer.created';
const VOIDED: Told[] = [
  CANCELED,
  'invoice.voided',
  invoiceUpdated({ auto_advance: true, status: 'open', status_transitions: { voided_at: null } }),
];

const gone = no<State>('resource_missing', 404);
const none = no<State>();
const refused = each(ALL, () => none);
const same = each(ALL, (state) => to(state));
const inPlans = ['open/unpaid (plan declined)', 'open/unpaid (plan authentication)'] as const;
/** Somebody tried to pay these, and there is money to be paid. */
const withIntent = [
  ...(['open/unpaid (declined)', 'open/unpaid (authentication)', ...inPlans, 'complete/paid', 'complete/paid (late)'] as const),
  ...(['complete/unpaid (pending)', 'complete/unpaid (failed)', 'complete/unpaid (authorized)', 'complete/paid (plan)'] as const),
  ...(['expired/unpaid (declined)', 'expired/unpaid (plan declined)'] as const),
] as const;
const withSetup = [
  ...(['open/no_payment_required (setup declined)', 'open/no_payment_required (setup authentication)'] as const),
  ...(['complete/no_payment_required (setup)', 'expired/no_payment_required (setup declined)'] as const),
] as const;
const unexpected = { ...each(ALL, () => gone), ...each<State>(withIntent, () => no('payment_intent_unexpected_state')) };
const noAction = { ...each(ALL, () => no<State>('resource_missing')), ...each<State>([...withIntent, ...withSetup], () => none) };
const newPayments = ['open/unpaid', 'open/unpaid (manual)'] as const;
const inPayments = ['open/unpaid (declined)', 'open/unpaid (authentication)'] as const;
/** What every attempt at a plan makes that does not succeed. */
const firstInPlan: Told[] = [NEW_CUSTOMER, ATTACHED, ...BILLED, SUBSCRIBED, invoiceUpdated(TRIED)];
const againInPlan: Told[] = [ATTACHED, subscriptionUpdated({ default_payment_method: OWN }), invoiceUpdated({})];
const inSetups = ['open/no_payment_required (setup declined)', 'open/no_payment_required (setup authentication)'] as const;

const byPerson = (payment_method: string): Operation => dashboard('person', 'pay_checkout', (session) => ({ session, payment_method }));
const read = ({ stripe }: Given, id: string): Promise<Stripe.Checkout.Session> => stripe.checkout.sessions.retrieve(id);
const intentOf = async (given: Given, id: string): Promise<string> =>
  ((await read(given, id)).payment_intent as string | null) ?? (await invoiceIntentOf(given, id)) ?? 'pi_none';
const invoiceIntentOf = async (given: Given, id: string): Promise<string | undefined> => {
  const { invoice } = await read(given, id);
  if (invoice === null) return undefined;
  const { data } = await given.stripe.invoicePayments.list({ invoice: invoice as string });
  return data[0]?.payment.payment_intent as string | undefined;
};
const authenticate = (outcome: string): Operation => ({
  by: 'person',
  run: async (given, id) => {
    const { setup_intent } = await read(given, id);
    const which = setup_intent === null ? { payment_intent: await intentOf(given, id) } : { setup_intent };
    return control(given.simulator, 'POST', '/__dashboard/complete_action', { ...which, outcome });
  },
});

const paying: Record<State, Cell<State>> = {
  ...refused,
  'open/unpaid': to('complete/paid', MADE, ...PAID, COMPLETED),
  'open/unpaid (declined)': to('complete/paid', ...PAID, COMPLETED),
  'open/unpaid (authentication)': to('complete/paid', ...PAID, COMPLETED),
  'open/unpaid (manual)': to('complete/unpaid (authorized)', MADE, ...HELD, COMPLETED),
  'open/unpaid (free)': to('complete/no_payment_required (free)', COMPLETED),
  'open/unpaid (plan)': to('complete/paid (plan)', NEW_CUSTOMER, ATTACHED, ...BILLED, ...invoicePaid(TRIED), SUBSCRIBED),
  ...each(inPlans, () => to('complete/paid (plan)', ...paidAfterAll)),
  'open/unpaid (trial)': to('complete/no_payment_required (trial)', NEW_CUSTOMER, ...TRIAL_STARTED),
  'open/no_payment_required (setup)': to(
    'complete/no_payment_required (setup)',
    NEW_CUSTOMER,
    SETUP_MADE,
    ATTACHED,
    'setup_intent.succeeded',
    COMPLETED,
  ),
  ...each(inSetups, () => to('complete/no_payment_required (setup)', ATTACHED, 'setup_intent.succeeded', COMPLETED)),
};

export const checkoutSessions: Table<State, Name> = {
  object: 'checkout session',
  about: /^(checkout|payment_intent|setup_intent|charge|customer\.subscription)/,
  status: async (given, id) => {
    const { status, payment_status: payment } = await read(given, id);
    return `${status}/${payment}`;
  },
  states: {
    'open/unpaid': { into: (given) => create(given), events: [] },
    'open/unpaid (declined)': { into: tried({}, DECLINING), events: [MADE, ...DECLINED] },
    'open/unpaid (authentication)': { into: tried({}, ASKING), events: [MADE, ASKED] },
    'open/unpaid (manual)': { into: (given) => create(given, MANUAL), events: [] },
    'open/unpaid (free)': { into: (given) => create(given, FREE), events: [] },
    'open/unpaid (plan)': { into: (given) => create(given, PLAN), events: [] },
    'open/unpaid (plan declined)': { into: tried(PLAN, FAILING), events: [MADE, ...DECLINED, SUBSCRIBED] },
    'open/unpaid (plan authentication)': { into: tried(PLAN, ASKING), events: [MADE, ASKED, SUBSCRIBED] },
    'open/unpaid (trial)': { into: (given) => create(given, TRIAL), events: [] },
    'open/no_payment_required (setup)': { into: (given) => create(given, SETUP), events: [] },
    'open/no_payment_required (setup declined)': { into: tried(SETUP, DECLINING), events: [SETUP_MADE, 'setup_intent.setup_failed'] },
    'open/no_payment_required (setup authentication)': {
      into: tried(SETUP, ASKING),
      events: [SETUP_MADE, 'setup_intent.requires_action'],
    },
    'complete/paid': { into: tried({}), events: [MADE, ...PAID, COMPLETED] },
    'complete/paid (late)': {
      into: settled(BANK),
      events: [MADE, ...PENDING, COMPLETED, ...PAID, 'checkout.session.async_payment_succeeded'],
    },
    'complete/unpaid (pending)': { into: tried({}, BANK), events: [MADE, ...PENDING, COMPLETED] },
    'complete/unpaid (failed)': {
      into: settled('pm_usBankAccount_insufficientFunds'),
      events: [MADE, ...PENDING, COMPLETED, ...DECLINED, 'checkout.session.async_payment_failed'],
    },
    'complete/unpaid (authorized)': { into: tried(MANUAL), events: [MADE, ...HELD, COMPLETED] },
    'complete/no_payment_required (free)': { into: tried(FREE), events: [COMPLETED] },
    'complete/paid (plan)': { into: tried(PLAN), events: [MADE, ...PAID, SUBSCRIBED, COMPLETED] },
    'complete/no_payment_required (trial)': { into: tried(TRIAL), events: [SUBSCRIBED, COMPLETED] },
    'complete/no_payment_required (setup)': { into: tried(SETUP), events: [SETUP_MADE, 'setup_intent.succeeded', COMPLETED] },
    'expired/unpaid': { into: async (given) => (await given.stripe.checkout.sessions.expire(await create(given))).id, events: [EXPIRED] },
    'expired/unpaid (declined)': { into: expired({}, DECLINING), events: [MADE, ...DECLINED, CANCELED, EXPIRED] },
    'expired/unpaid (plan declined)': {
      into: expired(PLAN, FAILING),
      events: [MADE, ...DECLINED, SUBSCRIBED, CANCELED, 'customer.subscription.deleted', EXPIRED],
    },
    'expired/no_payment_required (setup declined)': {
      into: expired(SETUP, DECLINING),
      events: [SETUP_MADE, 'setup_intent.setup_failed', 'setup_intent.canceled', EXPIRED],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.checkout.sessions.update(id, { metadata: { a: '1' } }, key) },
    'show its page': { by: 'request', run: ({ stripe }, id) => stripe.rawRequest('GET', `/v1/payment_pages/${id}`) },
    expire: { by: 'request', run: ({ stripe }, id, key) => stripe.checkout.sessions.expire(id, {}, key) },
    pay: byPerson('pm_card_visa'),
    'pay as the CLI does': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.rawRequest('POST', `/v1/payment_pages/${id}/confirm`, { payment_method: 'pm_card_visa' }, key),
    },
    'pay with a card that fails later': byPerson(FAILING),
    'pay with a declining card': byPerson(DECLINING),
    'pay with a card that asks': byPerson(ASKING),
    'pay with a bank account': byPerson(BANK),
    'pass authentication': authenticate('succeed'),
    'fail authentication': authenticate('fail'),
    'capture its intent': {
      by: 'request',
      run: async (given, id, key) => given.stripe.paymentIntents.capture(await intentOf(given, id), {}, key),
    },
    'cancel its intent': {
      by: 'request',
      run: async (given, id, key) => given.stripe.paymentIntents.cancel(await intentOf(given, id), {}, key),
    },
    'cancel its setup intent': {
      by: 'request',
      run: async (given, id, key) =>
        given.stripe.setupIntents.cancel(((await read(given, id)).setup_intent as string | null) ?? 'seti_none', {}, key),
    },
    'an hour later': after(3_601),
    'a day later': after(86_401),
  },
  cells: {
    'update metadata': same,
    'show its page': same,
    expire: {
      ...refused,
      ...each(OPEN, () => to('expired/unpaid', EXPIRED)),
      ...each(['open/unpaid (declined)', 'open/unpaid (authentication)'], () => to('expired/unpaid', CANCELED, EXPIRED)),
      ...each(inPlans, () => to('expired/unpaid', ...VOIDED, 'customer.subscription.deleted', EXPIRED)),
      'open/no_payment_required (setup)': to('expired/no_payment_required (setup declined)', EXPIRED),
      ...each(inSetups, () => to('expired/no_payment_required (setup declined)', 'setup_intent.canceled', EXPIRED)),
    },
    pay: paying,
    'pay as the CLI does': paying,
    'pay with a card that fails later': {
      ...paying,
      ...each(inPlans, () => fails('card_declined', 'open/unpaid', ...againInPlan, ...DECLINED, 'invoice.payment_failed')),
      ...each(inPayments, () => fails('card_declined', 'open/unpaid', ...DECLINED)),
      ...each(newPayments, () => fails('card_declined', 'open/unpaid', MADE, ...DECLINED)),
      'open/unpaid (plan)': fails('card_declined', 'open/unpaid', ...firstInPlan, ...DECLINED, 'invoice.payment_failed'),
    },
    'pay with a declining card': {
      ...refused,
      ...each(['open/unpaid (plan)', ...inPlans, 'open/unpaid (trial)'], () => no('card_declined', 402)),
      ...each(inPayments, () => fails('card_declined', 'open/unpaid', ...DECLINED)),
      ...each(newPayments, () => fails('card_declined', 'open/unpaid', MADE, ...DECLINED)),
      ...each(inSetups, (state) => fails('card_declined', state, 'setup_intent.setup_failed')),
      'open/unpaid (free)': paying['open/unpaid (free)'],
      'open/no_payment_required (setup)': fails(
        'card_declined',
        'open/no_payment_required (setup)',
        ...[NEW_CUSTOMER, SETUP_MADE, 'setup_intent.setup_failed'],
      ),
    },
    'pay with a card that asks': {
      ...refused,
      ...each(inPlans, () => to('open/unpaid', ...againInPlan, ASKED, 'invoice.payment_action_required')),
      ...each(inPayments, () => to('open/unpaid', ASKED)),
      ...each(newPayments, () => to('open/unpaid', MADE, ASKED)),
      ...each(inSetups, (state) => to(state, 'setup_intent.requires_action')),
      'open/unpaid (free)': paying['open/unpaid (free)'],
      'open/unpaid (trial)': paying['open/unpaid (trial)'],
      'open/unpaid (plan)': to('open/unpaid', ...firstInPlan, ASKED, 'invoice.payment_action_required'),
      'open/no_payment_required (setup)': to(
        'open/no_payment_required (setup)',
        ...[NEW_CUSTOMER, SETUP_MADE, 'setup_intent.requires_action'],
      ),
    },
    'pay with a bank account': {
      ...paying,
      ...each(['open/unpaid (plan)', ...inPlans, 'open/unpaid (trial)'], () => none),
      'open/unpaid': to('complete/unpaid (pending)', MADE, ...PENDING, COMPLETED),
      'open/unpaid (declined)': to('complete/unpaid (pending)', ...PENDING, COMPLETED),
      'open/unpaid (authentication)': to('complete/unpaid (pending)', ...PENDING, COMPLETED),
      'open/unpaid (manual)': refuses('payment_intent_incompatible_payment_method', 'open/unpaid', MADE),
    },
    'pass authentication': {
      ...noAction,
      'open/unpaid (authentication)': to('complete/paid', ...PAID, COMPLETED),
      'open/unpaid (plan authentication)': to('complete/paid (plan)', ...invoicePaid({}), subscriptionUpdated({ status: 'incomplete' })),
      'open/no_payment_required (setup authentication)': to(
        'complete/no_payment_required (setup)',
        ATTACHED,
        'setup_intent.succeeded',
        COMPLETED,
      ),
    },
    'fail authentication': {
      ...noAction,
      'open/unpaid (authentication)': to('open/unpaid', 'payment_intent.payment_failed'),
      'open/unpaid (plan authentication)': to('open/unpaid', 'payment_intent.payment_failed', 'invoice.payment_failed', invoiceUpdated({})),
      'open/no_payment_required (setup authentication)': to('open/no_payment_required (setup)', 'setup_intent.setup_failed'),
    },
    'capture its intent': {
      ...unexpected,
      'complete/unpaid (authorized)': to('complete/paid', 'charge.captured', 'payment_intent.succeeded'),
    },
    'cancel its intent': {
      ...unexpected,
      'complete/unpaid (authorized)': to('complete/unpaid (authorized)', 'charge.refunded', CANCELED),
    },
    'cancel its setup intent': { ...each(ALL, () => gone), ...each<State>(withSetup, () => no('setup_intent_unexpected_state')) },
    'an hour later': {
      ...same,
      'complete/unpaid (pending)': to('complete/paid (late)', ...PAID, 'checkout.session.async_payment_succeeded'),
    },
    'a day later': {
      ...same,
      ...each(OPEN, () => to('expired/unpaid', EXPIRED)),
      ...each(['open/unpaid (declined)', 'open/unpaid (authentication)'], () => to('expired/unpaid', CANCELED, EXPIRED)),
      // The subscription gives up an hour before its session does.
      ...each(inPlans, () => to('expired/unpaid', ...VOIDED, subscriptionUpdated({ ended_at: null, status: 'incomplete' }), EXPIRED)),
      'open/no_payment_required (setup)': to('expired/no_payment_required (setup declined)', EXPIRED),
      ...each(inSetups, () => to('expired/no_payment_required (setup declined)', 'setup_intent.canceled', EXPIRED)),
      'complete/unpaid (pending)': to('complete/paid (late)', ...PAID, 'checkout.session.async_payment_succeeded'),
    },
  },
};
