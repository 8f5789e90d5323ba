import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';

export interface InvoiceOfDeps {
  db: Kysely<PaymentsTables>;
  stripe: Pick<StripePort, 'listInvoicePayments' | 'retrieveInvoice'>;
}

/** What an invoice says of the intent that was made to pay it. */
export interface PaidInvoice {
  subscription: string | null;
  /** Whose it is, as far as the invoice or its subscription names somebody. */
  tenant: string | null;
}

export type InvoiceOf = { kind: 'ok'; invoice: PaidInvoice | null } | StripeFailure;

const nothing = { kind: 'ok', invoice: null } as const;

/**
 * The invoice that an intent pays; null when it pays none. An intent does not name its invoice, so what is recorded is asked, and then Stripe. Invoices always have
 * a customer, and their intents carry no ids of ours. Source: https://docs.stripe.com/changelog/basil/2025-03-31/add-support-for-multiple-partial-payments-on-invoices
 */
export async function invoiceOf({ db, stripe }: InvoiceOfDeps, { id, customer, metadata }: Intent): Promise<InvoiceOf> {
  if (customer === null || metadata['tenant_id']) return nothing;
  const { rows } = await sql<PaidInvoice>`
    SELECT subscription, tenant FROM invoices WHERE customer = ${customer} AND payment_intents @> ARRAY[${id}]`.execute(db);
  if (rows[0]) return { kind: 'ok', invoice: rows[0] };
  const payments = await stripe.listInvoicePayments({ payment_intent: id, limit: 1 });
  if (payments.kind !== 'ok') return payments;
  const invoice = payments.value.data[0]?.invoice ?? null;
  if (invoice === null) return nothing;
  const shown = await stripe.retrieveInvoice(invoice);
  if (shown.kind === 'not_found') return nothing;
  if (shown.kind !== 'ok') return shown;
  return { kind: 'ok', invoice: { subscription: shown.value.subscription, tenant: shown.value.metadata['tenant_id'] ?? null } };
}
