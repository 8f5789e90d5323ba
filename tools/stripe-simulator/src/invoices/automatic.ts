import { mustExistCustomer } from '../customers/find.js';
import { AUTOMATIC } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { type World } from '../world.js';
import { collectAutomatically } from './collect.js';
import { finalizeInvoice } from './finalize.js';
import { type Invoice } from './invoice.js';

/** A draft that advances by itself has waited long enough: it is finalized, then charged or sent. */
export function finalizeDue(world: World, id: string): void {
  const draft = world.invoices.get(id);
  if (draft?.status !== 'draft' || !draft.auto_advance) return;
  const open = finalized(world, draft);
  if (open?.status !== 'open') return;
  if (open.collection_method === 'charge_automatically') collectAutomatically(world, open);
  else world.events.emit('invoice.sent', open, AUTOMATIC);
}

/** A draft that can't be finalized says why and waits for somebody. */
function finalized(world: World, draft: Invoice): Invoice | undefined {
  try {
    mustExistCustomer(world, draft.customer);
    return finalizeInvoice(world, draft, AUTOMATIC);
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    const { type, message, code } = error.body;
    const failed = world.invoices.replace({ ...draft, last_finalization_error: { type, message, ...(code && { code }) } });
    world.events.emit('invoice.finalization_failed', failed, AUTOMATIC);
    return undefined;
  }
}

/** An invoice that was sent and not paid in time. It has no event of its own, unless an automation of the account sends one. */
export function overdue(world: World, id: string): void {
  const invoice = world.invoices.get(id);
  if (invoice?.status !== 'open' || invoice.due_date === null || invoice.due_date > world.clock.nowSeconds()) return;
  world.invoiceChanges.tell({ kind: 'overdue', invoice }, AUTOMATIC);
}

/** The next automatic attempt at an invoice that could not be collected. */
export function retryDue(world: World, id: string): void {
  const invoice = world.invoices.get(id);
  if (invoice?.status !== 'open' || invoice.next_payment_attempt === null) return;
  if (invoice.next_payment_attempt <= world.clock.nowSeconds()) collectAutomatically(world, invoice);
}
