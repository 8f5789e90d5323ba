import { type Given, PAY } from '../given.js';
import { after } from './operations.js';
import { type Table, no, to } from './table.js';

type State = 'pending' | 'pending (bank)' | 'succeeded' | 'succeeded (will fail)' | 'failed';
type Name = 'update metadata' | 'cancel' | 'two minutes later';

const refund = async ({ stripe }: Given, intent: string): Promise<string> => (await stripe.refunds.create({ payment_intent: intent })).id;
const ofCard = async (given: Given, payment_method: string): Promise<string> =>
  refund(given, (await given.stripe.paymentIntents.create({ ...PAY, payment_method })).id);
const ofBank = async (given: Given): Promise<string> => {
  const mandate_data = { customer_acceptance: { type: 'offline' } } as const;
  const { id } = await given.stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_usBankAccount_success', mandate_data });
  given.simulator.advanceClock(120);
  return refund(given, id);
};

const CREATED = ['refund.created', 'charge.refunded'];
const PAID_OUT = { status: 'pending', pending_reason: 'processing', balance_transaction: null };
const CAME_BACK = { status: 'succeeded', failure_balance_transaction: null, failure_reason: null };
const labelled = { metadata: { a: null } };

export const refunds: Table<State, Name> = {
  object: 'refund',
  about: /refund/,
  status: async ({ stripe }, id) => (await stripe.refunds.retrieve(id)).status,
  states: {
    pending: { into: (given) => ofCard(given, 'pm_card_pendingRefund'), events: CREATED },
    'pending (bank)': { into: ofBank, events: CREATED },
    succeeded: { into: (given) => ofCard(given, 'pm_card_visa'), events: CREATED },
    'succeeded (will fail)': { into: (given) => ofCard(given, 'pm_card_refundFail'), events: CREATED },
    failed: {
      into: async (given) => {
        const id = await ofCard(given, 'pm_card_refundFail');
        given.simulator.advanceClock(120);
        return id;
      },
      events: [...CREATED, 'refund.updated', 'refund.failed'],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.refunds.update(id, { metadata: { a: '1' } }, key) },
    cancel: { by: 'request', run: ({ stripe }, id, key) => stripe.refunds.cancel(id, {}, key) },
    'two minutes later': after(120),
  },
  cells: {
    'update metadata': {
      pending: to('pending', ['refund.updated', labelled]),
      'pending (bank)': to('pending (bank)', ['refund.updated', labelled], ['charge.refund.updated', labelled]),
      succeeded: to('succeeded', ['refund.updated', labelled]),
      'succeeded (will fail)': to('succeeded', ['refund.updated', labelled]),
      failed: to('failed', ['refund.updated', labelled]),
    },
    cancel: { pending: no(), 'pending (bank)': no(), succeeded: no(), 'succeeded (will fail)': no(), failed: no() },
    'two minutes later': {
      pending: to('succeeded', ['refund.updated', PAID_OUT]),
      'pending (bank)': to('succeeded', ['refund.updated', PAID_OUT], ['charge.refund.updated', PAID_OUT]),
      succeeded: to('succeeded'),
      'succeeded (will fail)': to('failed', ['refund.updated', CAME_BACK], 'refund.failed'),
      failed: to('failed'),
    },
  },
};
