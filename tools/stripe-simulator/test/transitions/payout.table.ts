import type Stripe from 'stripe';
import { type Given, PAY, control } from '../given.js';
import { after, dashboard } from './operations.js';
import { type Table, type Told, each, no, to } from './table.js';

type State = 'pending' | 'pending (automatic)' | 'in_transit' | 'paid' | 'failed' | 'canceled';
type Name = 'update metadata' | 'cancel' | 'two hours later' | 'three days later' | 'the bank takes it' | 'the bank sends it back';

const ALL: readonly State[] = ['pending', 'pending (automatic)', 'in_transit', 'paid', 'failed', 'canceled'];

/** Available at once thanks to the test card, so that no time need pass first. */
const earn = async ({ stripe }: Given): Promise<void> => {
  await stripe.paymentIntents.create({ ...PAY, capture_method: 'automatic', payment_method: 'pm_card_bypassPending' });
};
const byHand = async (given: Given): Promise<string> => {
  await earn(given);
  return (await given.stripe.payouts.create({ amount: 1000, currency: 'usd' })).id;
};
const act = async ({ simulator }: Given, body: object): Promise<string> =>
  ((await control(simulator, 'POST', '/__dashboard/payout', body)).value as Stripe.Payout).id;
const refused = each(ALL, () => no<State>());

const LEFT: Told = ['payout.updated', { status: 'pending', trace_id: null }];
const RECONCILED = 'payout.reconciliation_completed';

export const payouts: Table<State, Name> = {
  object: 'payout',
  about: /^payout\./,
  status: async ({ stripe }, id) => (await stripe.payouts.retrieve(id)).status,
  states: {
    pending: { into: byHand, events: ['payout.created'] },
    'pending (automatic)': {
      into: async (given) => {
        await earn(given);
        return act(given, {});
      },
      events: ['payout.created'],
    },
    in_transit: {
      into: async (given) => {
        const id = await byHand(given);
        given.simulator.advanceClock(7_200);
        return id;
      },
      events: ['payout.created', 'payout.updated'],
    },
    paid: {
      into: async (given) => act(given, { payout: await byHand(given), outcome: 'paid' }),
      events: ['payout.created', 'payout.updated', 'payout.paid'],
    },
    failed: {
      into: async (given) => act(given, { payout: await byHand(given), outcome: 'failed' }),
      events: ['payout.created', 'payout.failed'],
    },
    canceled: {
      into: async (given) => (await given.stripe.payouts.cancel(await byHand(given))).id,
      events: ['payout.created', 'payout.canceled'],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.payouts.update(id, { metadata: { a: '1' } }, key) },
    cancel: { by: 'request', run: ({ stripe }, id, key) => stripe.payouts.cancel(id, {}, key) },
    'two hours later': after(7_200),
    'three days later': after(3 * 86_400),
    'the bank takes it': dashboard('stripe', 'payout', (payout) => ({ payout, outcome: 'paid' })),
    'the bank sends it back': dashboard('stripe', 'payout', (payout) => ({ payout, outcome: 'failed' })),
  },
  cells: {
    'update metadata': each(ALL, (state) => to(state, ['payout.updated', { metadata: { a: null } }])),
    cancel: { ...refused, pending: to('canceled', 'payout.canceled') },
    'two hours later': {
      ...each(ALL, (state) => to(state)),
      pending: to('in_transit', LEFT),
      'pending (automatic)': to('in_transit', LEFT, RECONCILED),
    },
    'three days later': {
      ...each(ALL, (state) => to(state)),
      pending: to('paid', LEFT, 'payout.paid'),
      'pending (automatic)': to('paid', LEFT, RECONCILED, 'payout.paid'),
      in_transit: to('paid', 'payout.paid'),
    },
    'the bank takes it': {
      ...refused,
      pending: to('paid', LEFT, 'payout.paid'),
      'pending (automatic)': to('paid', LEFT, RECONCILED, 'payout.paid'),
      in_transit: to('paid', 'payout.paid'),
    },
    'the bank sends it back': {
      ...refused,
      pending: to('failed', 'payout.failed'),
      'pending (automatic)': to('failed', 'payout.failed'),
      in_transit: to('failed', 'payout.failed'),
      paid: to('failed', 'payout.failed'),
    },
  },
};
