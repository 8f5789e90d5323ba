import { type DisputeStatus } from './dispute.js';

export type DisputeOperation = 'stage_evidence' | 'submit_evidence' | 'close' | 'decide';

const WAITING: readonly DisputeStatus[] = ['warning_needs_response', 'needs_response'];
const SUBMITTED: readonly DisputeStatus[] = ['warning_under_review', 'under_review'];

/** Which states allow which operation. Metadata may change in every state. Evidence can be submitted once. */
export const ALLOWED_FROM: Readonly<Record<DisputeOperation, readonly DisputeStatus[]>> = {
  stage_evidence: WAITING,
  submit_evidence: WAITING,
  close: WAITING,
  decide: [...WAITING, ...SUBMITTED],
};

export interface DisputeOutcome {
  /** The state afterwards; without it the state stays. */
  readonly status?: DisputeStatus;
  readonly events: readonly `charge.dispute.${string}`[];
  /** What the outcome does to the balance. */
  readonly money?: 'withdrawn' | 'reinstated';
}

/** What can come of an operation: the state afterwards, the exact events, and the money that moves. */
export const OUTCOMES = {
  inquiry_opened: { status: 'warning_needs_response', events: ['charge.dispute.created'] },
  chargeback_opened: {
    status: 'needs_response',
    events: ['charge.dispute.created', 'charge.dispute.funds_withdrawn'],
    money: 'withdrawn',
  },
  debit_reversed: {
    status: 'lost',
    events: ['charge.dispute.created', 'charge.dispute.funds_withdrawn', 'charge.dispute.closed'],
    money: 'withdrawn',
  },
  changed: { events: ['charge.dispute.updated'] },
  submitted: { status: 'under_review', events: ['charge.dispute.updated'] },
  inquiry_submitted: { status: 'warning_under_review', events: ['charge.dispute.updated'] },
  escalated: {
    status: 'needs_response',
    events: ['charge.dispute.updated', 'charge.dispute.funds_withdrawn'],
    money: 'withdrawn',
  },
  won: { status: 'won', events: ['charge.dispute.closed', 'charge.dispute.funds_reinstated'], money: 'reinstated' },
  lost: { status: 'lost', events: ['charge.dispute.closed'] },
  inquiry_closed: { status: 'warning_closed', events: ['charge.dispute.closed'] },
} as const satisfies Readonly<Record<string, DisputeOutcome>>;

export type DisputeOutcomeName = keyof typeof OUTCOMES;
