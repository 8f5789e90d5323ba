import { type DisputeStatus } from '../../src/disputes/dispute.js';
import { type Given, PAY, control } from '../given.js';
import { after, dashboard } from './operations.js';
import { type Cell, type Table, type Told, each, no, to } from './table.js';

type Name =
  | 'update metadata'
  | 'stage evidence'
  | 'submit evidence'
  | 'close'
  | 'the bank decides against us'
  | 'the bank decides for us'
  | 'the bank ends it'
  | 'the bank escalates it'
  | 'a month later';

const ALL: readonly DisputeStatus[] = [
  'warning_needs_response',
  'warning_under_review',
  'warning_closed',
  'needs_response',
  'under_review',
  'won',
  'lost',
];
const refused = each(ALL, () => no<DisputeStatus>());
const same = each(ALL, (state) => to(state));

const open = async ({ simulator, stripe }: Given, kind: string): Promise<string> => {
  const { id: payment_intent } = await stripe.paymentIntents.create(PAY);
  const { value } = await control(simulator, 'POST', '/__dashboard/dispute', { payment_intent, kind });
  return (value as { id: string }).id;
};
const submitted = async (given: Given, kind: string): Promise<string> =>
  (await given.stripe.disputes.update(await open(given, kind), { submit: true })).id;
const closed = async (given: Given, kind: string, outcome: string): Promise<string> => {
  const dispute = await open(given, kind);
  await control(given.simulator, 'POST', '/__dashboard/close_dispute', { dispute, outcome });
  return dispute;
};
const bank = (outcome: string): ReturnType<typeof dashboard> => dashboard('stripe', 'close_dispute', (dispute) => ({ dispute, outcome }));

const INQUIRY = ['charge.dispute.created'];
const CHARGEBACK = ['charge.dispute.created', 'charge.dispute.funds_withdrawn'];
const CLOSED = 'charge.dispute.closed';
const WON = [CLOSED, 'charge.dispute.funds_reinstated'];

const updated = (previous: object): Told => ['charge.dispute.updated', previous];
const staged = { evidence: { customer_name: null }, evidence_details: { has_evidence: false } };
const sent = (status: DisputeStatus): Told =>
  updated({ ...staged, evidence_details: { has_evidence: false, submission_count: 0, submission_method: 'not_submitted' }, status });
const escalated = (state: 'warning_needs_response' | 'warning_under_review', evidence: object): Cell<DisputeStatus> =>
  to(
    'needs_response',
    updated({
      status: state,
      balance_transactions: [],
      is_charge_refundable: true,
      payment_method_details: { card: { case_type: 'inquiry' } },
      ...(Object.keys(evidence).length > 0 && { evidence_details: evidence }),
    }),
    'charge.dispute.funds_withdrawn',
  );

export const disputes: Table<DisputeStatus, Name> = {
  object: 'dispute',
  about: /^charge\.dispute\./,
  status: async ({ stripe }, id) => (await stripe.disputes.retrieve(id)).status,
  states: {
    warning_needs_response: { into: (given) => open(given, 'inquiry'), events: INQUIRY },
    warning_under_review: { into: (given) => submitted(given, 'inquiry'), events: [...INQUIRY, 'charge.dispute.updated'] },
    warning_closed: { into: (given) => closed(given, 'inquiry', 'warning_closed'), events: [...INQUIRY, CLOSED] },
    needs_response: { into: (given) => open(given, 'chargeback'), events: CHARGEBACK },
    under_review: { into: (given) => submitted(given, 'chargeback'), events: [...CHARGEBACK, 'charge.dispute.updated'] },
    won: { into: (given) => closed(given, 'chargeback', 'won'), events: [...CHARGEBACK, ...WON] },
    lost: { into: (given) => closed(given, 'chargeback', 'lost'), events: [...CHARGEBACK, CLOSED] },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.disputes.update(id, { metadata: { a: '1' } }, key) },
    'stage evidence': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.disputes.update(id, { evidence: { customer_name: 'Ada' }, submit: false }, key),
    },
    'submit evidence': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.disputes.update(id, { evidence: { customer_name: 'Ada' } }, key),
    },
    close: { by: 'request', run: ({ stripe }, id, key) => stripe.disputes.close(id, {}, key) },
    'the bank decides against us': bank('lost'),
    'the bank decides for us': bank('won'),
    'the bank ends it': bank('warning_closed'),
    'the bank escalates it': bank('escalated'),
    'a month later': after(30 * 86_400),
  },
  cells: {
    'update metadata': each(ALL, (state) => to(state, updated({ metadata: { a: null } }))),
    'stage evidence': {
      ...refused,
      warning_needs_response: to('warning_needs_response', updated(staged)),
      needs_response: to('needs_response', updated(staged)),
    },
    'submit evidence': {
      ...refused,
      warning_needs_response: to('warning_under_review', sent('warning_needs_response')),
      needs_response: to('under_review', sent('needs_response')),
    },
    close: { ...refused, warning_needs_response: to('warning_closed', CLOSED), needs_response: to('lost', CLOSED) },
    'the bank decides against us': { ...refused, needs_response: to('lost', CLOSED), under_review: to('lost', CLOSED) },
    'the bank decides for us': { ...refused, needs_response: to('won', ...WON), under_review: to('won', ...WON) },
    'the bank ends it': {
      ...refused,
      warning_needs_response: to('warning_closed', CLOSED),
      warning_under_review: to('warning_closed', CLOSED),
    },
    'the bank escalates it': {
      ...refused,
      warning_needs_response: escalated('warning_needs_response', {}),
      warning_under_review: escalated('warning_under_review', { submission_count: 1, submission_method: 'manual' }),
    },
    'a month later': { ...same, warning_needs_response: to('warning_closed', CLOSED), needs_response: to('lost', CLOSED) },
  },
};
