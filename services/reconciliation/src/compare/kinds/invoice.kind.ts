import type { Invoice } from '@tidegate/stripe-gateway/billing';
import { sql } from 'kysely';
import { compareAbsentInvoice, compareInvoice, type RecordedInvoice } from '../invoice.decide.js';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';

const COLUMNS = sql`p.invoice_id, p.tenant, p.status, p.amount_due, p.amount_paid, p.amount_remaining, p.currency, p.attempt_count,
  p.next_payment_attempt, p.updated_at, p.created_at AS made_at, (
    SELECT pi FROM unnest(p.payment_intents) pi WHERE NOT EXISTS (SELECT FROM recorded_payments WHERE stripe_payment_intent = pi) LIMIT 1
  ) AS missing_intent`;

/** Invoices, in every status. */
export const invoiceKind: ObjectKind<Invoice, RecordedInvoice> = {
  name: 'invoice',
  remote: {
    list: (stripe, query) => stripe.listInvoices(query),
    retrieve: (stripe, id) => stripe.retrieveInvoice(id),
    recordedFor: invoicesFor,
    compare: compareInvoice,
    isOf: (ours, { id }) => ours.invoice_id === id,
    countsForeign: true,
  },
  local: {
    unseen: unseenInvoices,
    byId: invoiceById,
    compareAbsent: compareAbsentInvoice,
    idOf: (invoice) => invoice.invoice_id,
    stripeIdOf: (invoice) => invoice.invoice_id,
  },
};

async function invoicesFor(db: CompareDb, remotes: readonly Invoice[]): Promise<Map<string, RecordedInvoice>> {
  const { rows } = await sql<RecordedInvoice>`
    SELECT ${COLUMNS} FROM recorded_invoices p WHERE invoice_id = ANY(${remotes.map(({ id }) => id)}::text[])`.execute(db);
  const byId = new Map(rows.map((row) => [row.invoice_id, row]));
  return matched(remotes, ({ id }) => byId.get(id));
}

async function invoiceById(db: CompareDb, id: string): Promise<RecordedInvoice | null> {
  const { rows } = await sql<RecordedInvoice>`SELECT ${COLUMNS} FROM recorded_invoices p WHERE invoice_id = ${id}`.execute(db);
  return rows[0] ?? null;
}

async function unseenInvoices(db: CompareDb, query: UnseenQuery): Promise<RecordedInvoice[]> {
  const seen = ofPeriod(query, { object: 'invoice', id: 'invoice_id', at: 'created_at' });
  const { rows } = await sql<RecordedInvoice>`
    SELECT ${COLUMNS} FROM recorded_invoices p WHERE ${seen} ORDER BY invoice_id LIMIT ${query.limit}`.execute(db);
  return rows;
}
