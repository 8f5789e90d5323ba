import type Stripe from 'stripe';
import { type SetupStatus } from '../../src/setup-intents/setup-intent.js';
import { type Given } from '../given.js';
import { dashboard } from './operations.js';
import { type Cell, type Table, each, fails, no, to } from './table.js';

type Name =
  | 'update metadata'
  | 'update payment_method'
  | 'confirm'
  | 'confirm with a declining card'
  | 'confirm with a card that asks'
  | 'cancel'
  | 'pass authentication'
  | 'fail authentication';

const ALL: readonly SetupStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'succeeded', 'canceled'];
const elsewhere = each(ALL, () => no<SetupStatus>('setup_intent_unexpected_state'));
const refused = each(ALL, () => no<SetupStatus>());
const open = (cell: Cell<SetupStatus>): Record<SetupStatus, Cell<SetupStatus>> => ({
  ...elsewhere,
  requires_payment_method: cell,
  requires_confirmation: cell,
  requires_action: cell,
});

/** Every intent has a customer, so that a success attaches its method. */
const create = async ({ stripe }: Given, more: Stripe.SetupIntentCreateParams): Promise<string> => {
  const { id: customer } = await stripe.customers.create({});
  const redirects = { automatic_payment_methods: { enabled: true, allow_redirects: 'never' } } as const;
  return (await stripe.setupIntents.create({ customer, ...redirects, ...more })).id;
};

export const setupIntents: Table<SetupStatus, Name> = {
  object: 'setup intent',
  about: /^(setup_intent|payment_method)\./,
  status: async ({ stripe }, id) => (await stripe.setupIntents.retrieve(id)).status,
  states: {
    requires_payment_method: { into: (given) => create(given, {}), events: ['setup_intent.created'] },
    requires_confirmation: { into: (given) => create(given, { payment_method: 'pm_card_visa' }), events: ['setup_intent.created'] },
    requires_action: {
      into: (given) => create(given, { payment_method: 'pm_card_threeDSecure2Required', confirm: true }),
      events: ['setup_intent.created', 'setup_intent.requires_action'],
    },
    succeeded: {
      into: (given) => create(given, { payment_method: 'pm_card_visa', confirm: true }),
      events: ['setup_intent.created', 'setup_intent.succeeded', 'payment_method.attached'],
    },
    canceled: {
      into: async (given) => (await given.stripe.setupIntents.cancel(await create(given, {}))).id,
      events: ['setup_intent.created', 'setup_intent.canceled'],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.setupIntents.update(id, { metadata: { a: '1' } }, key) },
    'update payment_method': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.setupIntents.update(id, { payment_method: 'pm_card_mastercard' }, key),
    },
    confirm: { by: 'request', run: ({ stripe }, id, key) => stripe.setupIntents.confirm(id, { payment_method: 'pm_card_visa' }, key) },
    'confirm with a declining card': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.setupIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' }, key),
    },
    'confirm with a card that asks': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.setupIntents.confirm(id, { payment_method: 'pm_card_authenticationRequired' }, key),
    },
    cancel: { by: 'request', run: ({ stripe }, id, key) => stripe.setupIntents.cancel(id, {}, key) },
    'pass authentication': dashboard('person', 'complete_action', (setup_intent) => ({ setup_intent })),
    'fail authentication': dashboard('person', 'complete_action', (setup_intent) => ({ setup_intent, outcome: 'fail' })),
  },
  cells: {
    'update metadata': each(ALL, (state) => to(state)),
    'update payment_method': open(to('requires_confirmation')),
    confirm: open(to('succeeded', 'payment_method.attached', 'setup_intent.succeeded')),
    'confirm with a declining card': open(fails('card_declined', 'requires_payment_method', 'setup_intent.setup_failed')),
    'confirm with a card that asks': open(to('requires_action', 'setup_intent.requires_action')),
    cancel: open(to('canceled', 'setup_intent.canceled')),
    'pass authentication': { ...refused, requires_action: to('succeeded', 'payment_method.attached', 'setup_intent.succeeded') },
    'fail authentication': { ...refused, requires_action: to('requires_payment_method', 'setup_intent.setup_failed') },
  },
};
