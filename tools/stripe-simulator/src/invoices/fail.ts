import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { countedAttempts, isRetried, nextAttempt } from './attempts.js';
import { changeInvoice } from './change.js';
import { type Invoice } from './invoice.js';

export const RETRY_INVOICE = 'invoice.retry';

/** An attempt has failed: the invoice tells it together with the next attempt, and its subscription hears of it. */
export function failInvoice(world: World, open: Invoice, cause: Cause): Invoice {
  const next = nextAttempt(world, open, cause);
  const changes = { attempted: true, attempt_count: countedAttempts(open, cause), next_payment_attempt: next };
  const invoice = changeInvoice(world, open, changes, cause);
  world.events.emit('invoice.payment_failed', invoice, cause);
  if (next !== null && next !== open.next_payment_attempt) world.scheduler.scheduleAt(next * 1000, { kind: RETRY_INVOICE, id: open.id });
  world.invoiceChanges.tell({ kind: 'payment_failed', invoice }, cause);
  if (next === null && isRetried(invoice)) world.invoiceChanges.tell({ kind: 'retries_exhausted', invoice }, cause);
  return world.invoices.get(invoice.id) ?? invoice;
}
