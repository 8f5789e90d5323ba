import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Invoice } from './invoice.js';

/** Stores a changed invoice and tells it with `invoice.updated`. */
export function changeInvoice(world: World, before: Invoice, changes: Partial<Invoice>, cause: Cause): Invoice {
  const after = world.invoices.replace({ ...before, ...changes } as Invoice);
  world.events.emit('invoice.updated', after, cause, before);
  return after;
}
