import type { InvoiceObject } from '@tidegate/contracts/events/stripe-event/invoice';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, record, recordsOf, text } from './read.decide.js';

/** The subscription stands in `parent`, the intents in `payments`, which is there when it was asked for: https://docs.stripe.com/api/invoices/object */
export function normalizedInvoice(invoice: Json, fallbackId: string): InvoiceObject {
  const payments = recordsOf(invoice['payments']).toSorted((a, b) => (integer(a['created']) ?? 0) - (integer(b['created']) ?? 0));
  return {
    object: 'invoice',
    ...commonOf(invoice, fallbackId),
    number: text(invoice['number']),
    subscription: idOf(record(record(invoice['parent'])?.['subscription_details'])?.['subscription']),
    billing_reason: text(invoice['billing_reason']),
    collection_method: text(invoice['collection_method']),
    amount: integer(invoice['total']),
    amount_due: integer(invoice['amount_due']),
    amount_paid: integer(invoice['amount_paid']),
    amount_remaining: integer(invoice['amount_remaining']),
    currency: text(invoice['currency']),
    attempt_count: integer(invoice['attempt_count']),
    next_payment_attempt: integer(invoice['next_payment_attempt']),
    due_date: integer(invoice['due_date']),
    period_start: integer(invoice['period_start']),
    period_end: integer(invoice['period_end']),
    payment_intents: payments.flatMap((payment) => idOf(record(payment['payment'])?.['payment_intent']) ?? []),
    deleted: invoice['deleted'] === true,
  };
}
