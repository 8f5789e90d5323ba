import { previousAttributes } from '../events/event.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Invoice } from './invoice.js';

/** Stores an invoice that somebody has edited; without a difference it stays quiet. */
export function editInvoice(world: World, before: Invoice, changes: Partial<Invoice>, cause: Cause): Invoice {
  const different = Object.keys(previousAttributes(before, { ...before, ...changes })).length > 0;
  return different ? changeInvoice(world, before, changes, cause) : before;
}

/** Stores a changed invoice and tells it with `invoice.updated`: each attempt at payment does, though it may change nothing. */
export function changeInvoice(world: World, before: Invoice, changes: Partial<Invoice>, cause: Cause): Invoice {
  const after = world.invoices.replace({ ...before, ...changes } as Invoice);
  world.events.emit('invoice.updated', after, cause, before);
  return after;
}
