import type Stripe from 'stripe';
import { type Given, PAY, control } from '../given.js';
import { dashboard } from './operations.js';
import { type Table, each, no, to } from './table.js';

type State =
  | 'pending'
  | 'failed'
  | 'succeeded'
  | 'succeeded (held)'
  | 'succeeded (part taken)'
  | 'succeeded (refunded)'
  | 'succeeded (asked about)'
  | 'succeeded (charged back)';
type Name = 'update metadata' | 'refund a part' | 'refund the rest' | 'dispute';

const chargeOf = async ({ stripe }: Given, more: Partial<Stripe.PaymentIntentCreateParams>): Promise<string> =>
  (await stripe.paymentIntents.create({ ...PAY, ...more })).latest_charge as string;
const disputed = async (given: Given, kind: string): Promise<string> => {
  const charge = await chargeOf(given, {});
  await control(given.simulator, 'POST', '/__dashboard/dispute', { charge, kind });
  return charge;
};

const TAKEN: readonly State[] = ['succeeded', 'succeeded (part taken)', 'succeeded (asked about)'];
const ALL: readonly State[] = ['pending', 'failed', ...TAKEN, 'succeeded (held)', 'succeeded (refunded)', 'succeeded (charged back)'];
const REFUND = ['refund.created', 'charge.refunded'];
const CHARGEBACK = ['charge.dispute.created', 'charge.dispute.funds_withdrawn'];
const refundable = {
  ...each(ALL, () => no<State>()),
  ...each(TAKEN, () => to<State>('succeeded', ...REFUND)),
  'succeeded (refunded)': no<State>('charge_already_refunded'),
  'succeeded (charged back)': no<State>('charge_disputed'),
};

export const charges: Table<State, Name> = {
  object: 'charge',
  about: /^(charge|refund)\./,
  status: async ({ stripe }, id) => (await stripe.charges.retrieve(id)).status,
  states: {
    pending: {
      into: (given) =>
        chargeOf(given, { payment_method: 'pm_usBankAccount_success', mandate_data: { customer_acceptance: { type: 'offline' } } }),
      events: ['charge.pending'],
    },
    failed: {
      into: async (given) => {
        await chargeOf(given, { payment_method: 'pm_card_chargeDeclined' }).catch(() => undefined);
        return (await given.stripe.charges.list()).data[0]!.id;
      },
      events: ['charge.failed'],
    },
    succeeded: { into: (given) => chargeOf(given, {}), events: ['charge.succeeded'] },
    'succeeded (held)': { into: (given) => chargeOf(given, { capture_method: 'manual' }), events: ['charge.succeeded'] },
    'succeeded (part taken)': {
      into: async (given) => {
        const charge = await chargeOf(given, { capture_method: 'manual' });
        const { payment_intent: intent } = await given.stripe.charges.retrieve(charge);
        await given.stripe.paymentIntents.capture(intent as string, { amount_to_capture: 1500 });
        return charge;
      },
      events: ['charge.succeeded', 'charge.captured'],
    },
    'succeeded (refunded)': {
      into: async (given) => (await given.stripe.refunds.create({ charge: await chargeOf(given, {}) })).charge as string,
      events: ['charge.succeeded', ...REFUND],
    },
    'succeeded (asked about)': {
      into: (given) => disputed(given, 'inquiry'),
      events: ['charge.succeeded', 'charge.dispute.created'],
    },
    'succeeded (charged back)': { into: (given) => disputed(given, 'chargeback'), events: ['charge.succeeded', ...CHARGEBACK] },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.charges.update(id, { metadata: { a: '1' } }, key) },
    'refund a part': { by: 'request', run: ({ stripe }, charge, key) => stripe.refunds.create({ charge, amount: 500 }, key) },
    'refund the rest': { by: 'request', run: ({ stripe }, charge, key) => stripe.refunds.create({ charge }, key) },
    dispute: dashboard('stripe', 'dispute', (charge) => ({ charge })),
  },
  cells: {
    'update metadata': each(ALL, (state) => to(state, ['charge.updated', { metadata: { a: null } }])),
    'refund a part': refundable,
    'refund the rest': { ...refundable, 'succeeded (asked about)': to('succeeded', ...REFUND, 'charge.dispute.closed') },
    dispute: {
      ...each(ALL, () => no<State>()),
      succeeded: to('succeeded', ...CHARGEBACK),
      'succeeded (part taken)': to('succeeded', ...CHARGEBACK),
      'succeeded (refunded)': to('succeeded', ...CHARGEBACK),
    },
  },
};
