import { defineEvent } from '../envelope.js';
import { exampleInvoiceSnapshot, InvoiceSnapshot } from '../invoice.js';

/** Each fact of an invoice carries the whole invoice as it is after the fact. Several may be told of one look at Stripe; what came and went between two looks is not told. */
export const INVOICE_FACTS = {
  created: 'An invoice is known here for the first time; its status may be any.',
  finalized: 'It is open: it has a number and is to be paid.',
  paid: 'It is paid, also when that happened elsewhere; the money of a payment through Stripe is told by that payment.',
  payment_failed: 'An attempt to collect it failed; `dunning` says what comes.',
  action_required: 'The customer has to authenticate before it can be collected.',
  uncollectible: 'It was given up as uncollectible; it may still be paid.',
  voided: 'It is void: nothing is to be paid any more.',
  deleted: 'It was a draft, and is gone.',
  updated: 'Something else changed.',
} as const;
export type InvoiceFact = keyof typeof INVOICE_FACTS;

export const invoiceSubject = (fact: InvoiceFact): string => `payments.events.invoice.${fact}.v1`;

const failure = { code: 'card_declined', decline_code: 'insufficient_funds', message: 'Your card has insufficient funds.' };
const unpaid = { status: 'open', amount_paid: 0, amount_remaining: 4200 };
const EXAMPLES: Partial<Record<InvoiceFact, Partial<InvoiceSnapshot>>> = {
  created: { ...unpaid, status: 'draft', number: null, attempt_count: 0, payment_intents: [] },
  finalized: { ...unpaid, attempt_count: 0 },
  payment_failed: { ...unpaid, dunning: 'retrying', next_payment_attempt: '2026-11-24T06:00:00.000Z', failure },
  action_required: { ...unpaid, dunning: 'action_required' },
  uncollectible: { ...unpaid, status: 'uncollectible', dunning: 'given_up', failure },
  voided: { ...unpaid, status: 'void', amount_remaining: 0 },
  deleted: { ...unpaid, status: 'deleted', number: null, attempt_count: 0, payment_intents: [] },
};

export const invoiceFacts = (Object.keys(INVOICE_FACTS) as InvoiceFact[]).map((fact) =>
  defineEvent({
    subject: invoiceSubject(fact),
    version: 1,
    doc: INVOICE_FACTS[fact],
    data: InvoiceSnapshot,
    example: { ...exampleInvoiceSnapshot, ...EXAMPLES[fact] },
  }),
);
