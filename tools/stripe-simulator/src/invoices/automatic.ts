import { AUTOMATIC } from '../http/call.js';
import { type World } from '../world.js';
import { collectAutomatically } from './collect.js';
import { finalizeInvoice } from './finalize.js';

/** A draft that advances by itself has waited long enough: it is finalized, then charged or sent. */
export function finalizeDue(world: World, id: string): void {
  const draft = world.invoices.get(id);
  if (draft?.status !== 'draft' || !draft.auto_advance) return;
  const open = finalizeInvoice(world, draft, AUTOMATIC);
  if (open.status !== 'open') return;
  if (open.collection_method === 'charge_automatically') collectAutomatically(world, open);
  else world.events.emit('invoice.sent', open, AUTOMATIC);
}

/** The next automatic attempt at an invoice that could not be collected. */
export function retryDue(world: World, id: string): void {
  const invoice = world.invoices.get(id);
  if (invoice?.status !== 'open' || invoice.next_payment_attempt === null) return;
  if (invoice.next_payment_attempt <= world.clock.nowSeconds()) collectAutomatically(world, invoice);
}
