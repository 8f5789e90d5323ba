import type { InvoiceObject } from '@tidegate/contracts/events/stripe-event/invoice';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, metadataOf, record, recordsOf, text, words } from './read.decide.js';

/** The subscription stands in `parent`, the intents in `payments`, which is there when it was asked for: https://docs.stripe.com/api/invoices/object */
export function normalizedInvoice(invoice: Json, fallbackId: string): InvoiceObject {
  const payments = recordsOf(invoice['payments']).toSorted((a, b) => (integer(a['created']) ?? 0) - (integer(b['created']) ?? 0));
  const intents = payments.flatMap((payment) => record(payment['payment'])?.['payment_intent'] ?? []);
  const billed = record(record(invoice['parent'])?.['subscription_details']);
  const common = commonOf(invoice, fallbackId);
  return {
    object: 'invoice',
    ...common,
    metadata: { ...metadataOf(billed?.['metadata']), ...common.metadata },
    number: text(invoice['number']),
    subscription: idOf(billed?.['subscription']),
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
    payment_intents: intents.flatMap((intent) => idOf(intent) ?? []),
    ...standingOf(record(intents.at(-1))),
    deleted: invoice['deleted'] === true,
  };
}

/** Of the intent that is to pay it, where it was shown: whether the customer has to act, and how the last attempt failed. */
function standingOf(intent: Json | null): Pick<InvoiceObject, 'action_required' | 'failure'> {
  const error = record(intent?.['last_payment_error']);
  const code = text(error?.['code']) ?? text(error?.['type']);
  return {
    action_required: intent?.['status'] === 'requires_action',
    failure: code === null ? null : { code, decline_code: text(error?.['decline_code']), message: words(error?.['message']) },
  };
}
