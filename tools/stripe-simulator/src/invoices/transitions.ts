import { type InvoiceStatus } from './invoice.js';

export type InvoiceOperation = 'update' | 'delete' | 'finalize' | 'pay' | 'send' | 'void' | 'mark_uncollectible';

/** Which states allow which operation; everywhere else it is refused with 400. Paying or sending a draft finalizes it first. */
export const ALLOWED_FROM: Readonly<Record<InvoiceOperation, readonly InvoiceStatus[]>> = {
  update: ['draft', 'open', 'paid', 'uncollectible', 'void'],
  delete: ['draft'],
  finalize: ['draft'],
  pay: ['draft', 'open', 'uncollectible'],
  send: ['draft', 'open', 'paid'],
  void: ['open', 'uncollectible'],
  mark_uncollectible: ['open'],
};

interface Outcome {
  readonly status: InvoiceStatus | 'deleted';
  /** Every event of the step, in the order in which they are emitted. */
  readonly events: readonly string[];
}

const PAID = ['invoice_payment.paid', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded'] as const;

/** What can come of an operation on a manual invoice of one item: its state afterwards and the exact events. */
export const OUTCOMES = {
  created: { status: 'draft', events: ['invoice.created'] },
  updated: { status: 'draft', events: ['invoice.updated'] },
  deleted: { status: 'deleted', events: ['invoice.deleted'] },
  finalized: { status: 'open', events: ['payment_intent.created', 'invoice.finalized'] },
  finalized_free: { status: 'paid', events: ['invoice.finalized', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded'] },
  paid: { status: 'paid', events: ['charge.succeeded', 'payment_intent.succeeded', ...PAID] },
  paid_as_draft: {
    status: 'paid',
    events: ['payment_intent.created', 'invoice.finalized', 'charge.succeeded', 'payment_intent.succeeded', ...PAID],
  },
  paid_elsewhere: { status: 'paid', events: ['payment_intent.canceled', 'invoice.updated', 'invoice.paid'] },
  declined: { status: 'open', events: ['charge.failed', 'payment_intent.payment_failed', 'invoice.updated', 'invoice.payment_failed'] },
  action_required: { status: 'open', events: ['payment_intent.requires_action', 'invoice.updated', 'invoice.payment_action_required'] },
  sent: { status: 'open', events: ['invoice.sent'] },
  voided: { status: 'void', events: ['payment_intent.canceled', 'invoice.updated', 'invoice.voided'] },
  uncollectible: { status: 'uncollectible', events: ['invoice.updated', 'invoice.marked_uncollectible'] },
} as const satisfies Readonly<Record<string, Outcome>>;

export type OutcomeName = keyof typeof OUTCOMES;
