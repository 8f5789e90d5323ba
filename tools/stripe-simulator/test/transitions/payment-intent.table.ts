import type Stripe from 'stripe';
import { type IntentStatus } from '../../src/payment-intents/payment-intent.js';
import { type Given, PAY } from '../given.js';
import { after, dashboard } from './operations.js';
import { type Table, each, fails, no, to } from './table.js';

type Name =
  | 'update metadata'
  | 'update amount'
  | 'update payment_method'
  | 'confirm'
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
const ALL: readonly IntentStatus[] = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
];
const unexpected = no<IntentStatus>('payment_intent_unexpected_state');
const elsewhere = each(ALL, () => unexpected);
const none = no<IntentStatus>();
const nothing = each(ALL, (state) => to(state));

const create = async ({ stripe }: Given, more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string> =>
  (await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', ...CARD_ONLY, ...more })).id;
const pay = (given: Given, more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string> => create(given, { ...PAY, ...more });

const SUCCEEDED = ['charge.succeeded', 'payment_intent.succeeded'];
const HELD = ['charge.succeeded', 'payment_intent.amount_capturable_updated'];
const WAITING = ['charge.pending', 'payment_intent.processing'];

const confirmable = (cell: (typeof elsewhere)[IntentStatus]): typeof elsewhere => ({
  ...elsewhere,
  requires_payment_method: cell,
  requires_confirmation: cell,
  requires_action: cell,
});

export const paymentIntents: Table<IntentStatus, Name> = {
  object: 'payment intent',
  about: /./,
  status: async ({ stripe }, id) => (await stripe.paymentIntents.retrieve(id)).status,
  states: {
    requires_payment_method: { into: (given) => create(given, {}), events: ['payment_intent.created'] },
    requires_confirmation: { into: (given) => create(given, { payment_method: 'pm_card_visa' }), events: ['payment_intent.created'] },
    requires_action: {
      into: (given) => pay(given, { payment_method: 'pm_card_threeDSecure2Required' }),
      events: ['payment_intent.created', 'payment_intent.requires_action'],
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
    'update payment_method': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.paymentIntents.update(id, { payment_method: 'pm_card_mastercard' }, key),
    },
    confirm: { by: 'request', run: ({ stripe }, id, key) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }, key) },
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
      requires_action: to('requires_action'),
    },
    'update payment_method': confirmable(to('requires_confirmation')),
    confirm: confirmable(to('succeeded', ...SUCCEEDED)),
    'confirm manually captured': confirmable(to('requires_capture', ...HELD)),
    'confirm with a declining card': confirmable(
      fails('card_declined', 'requires_payment_method', 'charge.failed', 'payment_intent.payment_failed'),
    ),
    'confirm with a card that asks': confirmable(to('requires_action', 'payment_intent.requires_action')),
    'confirm with a bank account': confirmable(to('processing', ...WAITING)),
    capture: { ...elsewhere, requires_capture: to('succeeded', 'charge.captured', 'payment_intent.succeeded') },
    'capture a part': { ...elsewhere, requires_capture: to('succeeded', 'charge.captured', 'payment_intent.succeeded') },
    cancel: {
      ...confirmable(to('canceled', 'payment_intent.canceled')),
      requires_capture: to('canceled', 'charge.refunded', 'payment_intent.canceled'),
    },
    'pass authentication': { ...each(ALL, () => none), requires_action: to('succeeded', ...SUCCEEDED) },
    'fail authentication': { ...each(ALL, () => none), requires_action: to('requires_payment_method', 'payment_intent.payment_failed') },
    'eight days later': {
      ...nothing,
      processing: to('requires_payment_method', 'charge.failed', 'payment_intent.payment_failed'),
      requires_capture: to('canceled', 'charge.expired', 'payment_intent.canceled'),
    },
  },
};
