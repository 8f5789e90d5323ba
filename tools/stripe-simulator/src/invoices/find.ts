import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type Invoice, subscriptionOf } from './invoice.js';
import { ALLOWED_FROM, type InvoiceOperation } from './transitions.js';

/** The invoice of a path id (404) or of a parameter (400). */
export function invoiceById(world: World, id: string, param = 'id'): Invoice {
  const invoice = world.invoices.get(id);
  if (invoice === undefined) throw noSuch('invoice', id, param);
  return invoice;
}

/** Refuses an operation that the invoice's state does not allow; what a subscription has billed is never deleted. */
export function mustAllow(operation: InvoiceOperation, invoice: Invoice): void {
  const bound = operation === 'delete' && subscriptionOf(invoice) !== undefined;
  if (ALLOWED_FROM[operation].includes(invoice.status) && !bound) return;
  throw refused(MESSAGES[operation](invoice), operation === 'update' ? 'invoice_not_editable' : undefined);
}

const MESSAGES: Readonly<Record<InvoiceOperation, (invoice: Invoice) => string>> = {
  update: () => "This invoice can't be modified.",
  delete: ({ status }) =>
    status === 'draft'
      ? "You can't delete an invoice of a subscription; finalize it and make it void."
      : 'You can only delete draft invoices.',
  finalize: () => 'This invoice is already finalized, you can’t re-finalize a non-draft invoice.',
  pay: ({ status }) => (status === 'paid' ? 'Invoice is already paid' : `You can't pay an invoice with a status of ${status}.`),
  send: ({ status }) => `You can only send an invoice that is a draft, open or paid; this one has a status of ${status}.`,
  void: ({ status }) => `You can only void an invoice that is open or uncollectible; this one has a status of ${status}.`,
  mark_uncollectible: ({ status }) => `You can only mark an open invoice as uncollectible; this one has a status of ${status}.`,
};
