import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type Invoice } from './invoice.js';
import { ALLOWED_FROM, type InvoiceOperation } from './transitions.js';

/** The invoice of a path id (404) or of a parameter (400). */
export function invoiceById(world: World, id: string, param = 'id'): Invoice {
  const invoice = world.invoices.get(id);
  if (invoice === undefined) throw noSuch('invoice', id, param);
  return invoice;
}

/** Refuses an operation that the invoice's state does not allow. */
export function mustAllow(operation: InvoiceOperation, invoice: Invoice): void {
  if (ALLOWED_FROM[operation].includes(invoice.status)) return;
  throw refused(MESSAGES[operation](invoice), operation === 'update' ? 'invoice_not_editable' : undefined);
}

const MESSAGES: Readonly<Record<InvoiceOperation, (invoice: Invoice) => string>> = {
  update: () => "This invoice can't be modified.",
  delete: () => 'You can only delete draft invoices.',
  finalize: () => 'This invoice is already finalized, you can’t re-finalize a non-draft invoice.',
  pay: ({ status }) => (status === 'paid' ? 'Invoice is already paid' : `You can't pay an invoice with a status of ${status}.`),
  send: ({ status }) => `You can only send an invoice that is a draft or open; this one has a status of ${status}.`,
  void: ({ status }) => `You can only void an invoice that is open or uncollectible; this one has a status of ${status}.`,
  mark_uncollectible: ({ status }) => `You can only mark an open invoice as uncollectible; this one has a status of ${status}.`,
};
