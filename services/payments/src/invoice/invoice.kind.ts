import { type InvoiceFact, invoiceSubject } from '@tidegate/contracts/events/invoice';
import { type Insertable } from 'kysely';
import { type Observed } from '../observed/observed.decide.js';
import { type ObservedKind } from '../observed/observed.store.js';
import { type InvoicesTable } from '../tables.js';
import { invoiceRules, invoiceSnapshot, type SeenInvoice } from './invoice.seen.js';

/** Invoices are known by looking at them. */
export const invoiceKind: ObservedKind<SeenInvoice, InvoiceFact> = {
  name: 'invoice',
  event: 'InvoiceObserved',
  rules: invoiceRules,
  subjectOf: invoiceSubject,
  snapshotOf: invoiceSnapshot,
  async show(tx, observed, version) {
    const row = invoiceRow(observed, version);
    await tx
      .insertInto('invoices')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  },
};

/** The projection of one invoice. */
export function invoiceRow(observed: Observed<SeenInvoice>, version: number): Insertable<InvoicesTable> {
  const { invoice_id: id, failure, ...shown } = invoiceSnapshot(observed);
  const { tenant, status_since, seen_at } = observed;
  return { ...shown, id, failure: (failure === null ? null : JSON.stringify(failure)) as never, tenant, version, status_since, seen_at };
}
