import type Stripe from 'stripe';
import { type IntentStatus } from '../../src/payment-intents/payment-intent.js';
import { type Given, PAY, control } from '../given.js';
import { after, dashboard } from './operations.js';
import { type Cell, type Table, each, fails, no, to } from './table.js';

type State = IntentStatus | 'requires_action (manual)' | 'requires_confirmation (authenticated)';
type Name =
  | 'update metadata'
  | 'update amount'
  | 'update to the same amount'
  | 'update payment_method'
  | 'confirm'
  | 'confirm as it is'
  | 'confirm manually captured'
  | 'confirm with a declining card'
  | 'confirm with a card that asks'
  | 'confirm with a bank account'
  | 'capture'
  | 'capture a part'
  | 'cancel'
  | 'pass authentication'
  | 'fail authentication'
  | 'eight days later';

const CARD_ONLY = { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } } as const;
const MANDATE = { mandate_data: { customer_acceptance: { type: 'offline' } } } as const;
const ALL: readonly State[] = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
  'requires_action (manual)',
  'requires_confirmation (authenticated)',
];
const unexpected = no<State>('payment_intent_unexpected_state');
const elsewhere = each(ALL, () => unexpected);
const none = no<State>();
const cardsOnly = no<State>('payment_intent_incompatible_payment_method');
const nothing = each(ALL, (state) => to(state));

const create = async ({ stripe }: Given, more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string> =>
  (await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', ...CARD_ONLY, ...more })).id;
const pay = (given: Given, more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string> => create(given, { ...PAY, ...more });

const SUCCEEDED = ['charge.succeeded', 'payment_intent.succeeded'];
const HELD = ['charge.succeeded', 'payment_intent.amount_capturable_updated'];
const WAITING = ['charge.pending', 'payment_intent.processing'];

const confirmable = (cell: Cell<State>): Record<State, Cell<State>> => ({
  ...elsewhere,
  requires_payment_method: cell,
  requires_confirmation: cell,
  requires_action: cell,
  'requires_action (manual)': cell,
  'requires_confirmation (authenticated)': cell,
});

/** The server confirms again after the customer was authenticated. */
const manual = async (given: Given): Promise<string> =>
  (
    await given.stripe.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      confirm: true,
      confirmation_method: 'manual',
      payment_method: 'pm_card_threeDSecure2Required',
    })
  ).id;
const ASKED = ['payment_intent.created', 'payment_intent.requires_action'];

export const paymentIntents: Table<State, Name> = {
  object: 'payment intent',
  about: /./,
  status: async ({ stripe }, id) => (await stripe.paymentIntents.retrieve(id)).status,
  states: {
    requires_payment_method: { into: (given) => create(given, {}), events: ['payment_intent.created'] },
    requires_confirmation: { into: (given) => create(given, { payment_method: 'pm_card_visa' }), events: ['payment_intent.created'] },
    requires_action: {
      into: (given) => pay(given, { payment_method: 'pm_card_threeDSecure2Required' }),
      events: ASKED,
    },
    'requires_action (manual)': { into: manual, events: ASKED },
    'requires_confirmation (authenticated)': {
      into: async (given) => {
        const payment_intent = await manual(given);
        await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent });
        return payment_intent;
      },
      events: ASKED,
    },
    processing: {
      into: (given) => pay(given, { ...MANDATE, payment_method: 'pm_usBankAccount_noAccount' }),
      events: ['payment_intent.created', ...WAITING],
    },
    requires_capture: { into: (given) => pay(given, { capture_method: 'manual' }), events: ['payment_intent.created', ...HELD] },
    succeeded: { into: (given) => pay(given, {}), events: ['payment_intent.created', ...SUCCEEDED] },
    canceled: {
      into: async (given) => (await given.stripe.paymentIntents.cancel(await create(given, {}))).id,
      events: ['payment_intent.created', 'payment_intent.canceled'],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.update(id, { metadata: { a: '1' } }, key) },
    'update amount': { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.update(id, { amount: 700 }, key) },
    'update to the same amount': { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.update(id, { amount: 2000 }, key) },
    'update payment_method': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.update(id, { payment_method: 'pm_card_mastercard' }, key),
    },
    confirm: { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }, key) },
    'confirm as it is': { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, {}, key) },
    'confirm manually captured': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa', capture_method: 'manual' }, key),
    },
    'confirm with a declining card': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' }, key),
    },
    'confirm with a card that asks': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_authenticationRequired' }, key),
    },
    'confirm with a bank account': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { ...MANDATE, payment_method: 'pm_usBankAccount_success' }, key),
    },
    capture: { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.capture(id, {}, key) },
    'capture a part': { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.capture(id, { amount_to_capture: 500 }, key) },
    cancel: { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.cancel(id, {}, key) },
    'pass authentication': dashboard('person', 'complete_action', (payment_intent) => ({ payment_intent })),
    'fail authentication': dashboard('person', 'complete_action', (payment_intent) => ({ payment_intent, outcome: 'fail' })),
    'eight days later': after(8 * 86_400),
  },
  cells: {
    'update metadata': nothing,
    'update amount': {
      ...elsewhere,
      requires_payment_method: to('requires_payment_method'),
      requires_confirmation: to('requires_confirmation'),
      requires_action: to('requires_confirmation'),
      'requires_action (manual)': to('requires_confirmation'),
      'requires_confirmation (authenticated)': to('requires_confirmation'),
    },
    'update to the same amount': {
      ...elsewhere,
      requires_payment_method: to('requires_payment_method'),
      requires_confirmation: to('requires_confirmation'),
      requires_action: to('requires_action'),
      'requires_action (manual)': to('requires_action'),
      'requires_confirmation (authenticated)': to('requires_confirmation'),
    },
    'update payment_method': confirmable(to('requires_confirmation')),
    confirm: confirmable(to('succeeded', ...SUCCEEDED)),
    'confirm as it is': {
      ...elsewhere,
      requires_confirmation: to('succeeded', ...SUCCEEDED),
      requires_action: to('requires_action', 'payment_intent.requires_action'),
      'requires_action (manual)': to('requires_action', 'payment_intent.requires_action'),
      'requires_confirmation (authenticated)': to('succeeded', ...SUCCEEDED),
    },
    'confirm manually captured': confirmable(to('requires_capture', ...HELD)),
    'confirm with a declining card': confirmable(
      fails('card_declined', 'requires_payment_method', 'charge.failed', 'payment_intent.payment_failed'),
    ),
    'confirm with a card that asks': confirmable(to('requires_action', 'payment_intent.requires_action')),
    'confirm with a bank account': {
      ...confirmable(to('processing', ...WAITING)),
      'requires_action (manual)': cardsOnly,
      'requires_confirmation (authenticated)': cardsOnly,
    },
    capture: { ...elsewhere, requires_capture: to('succeeded', 'charge.captured', 'payment_intent.succeeded') },
    'capture a part': { ...elsewhere, requires_capture: to('succeeded', 'charge.captured', 'payment_intent.succeeded') },
    cancel: {
      ...confirmable(to('canceled', 'payment_intent.canceled')),
      requires_capture: to('canceled', 'charge.refunded', 'payment_intent.canceled'),
    },
    'pass authentication': {
      ...each(ALL, () => none),
      requires_action: to('succeeded', ...SUCCEEDED),
      'requires_action (manual)': to('requires_confirmation'),
    },
    'fail authentication': {
      ...each(ALL, () => none),
      requires_action: to('requires_payment_method', 'payment_intent.payment_failed'),
      'requires_action (manual)': to('requires_payment_method', 'payment_intent.payment_failed'),
    },
    'eight days later': {
      ...nothing,
      processing: to('requires_payment_method', 'charge.failed', 'payment_intent.payment_failed'),
      requires_capture: to('canceled', 'charge.expired', 'payment_intent.canceled'),
    },
  },
};
