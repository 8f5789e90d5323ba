import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { changeInvoice } from './change.js';
import { mustAllow } from './find.js';
import { type Invoice } from './invoice.js';
import { withdrawPayment } from './payment.js';

/** Makes an invoice void: it stays on record, but nobody owes it. */
export function voidInvoice(world: World, invoice: Invoice, cause: Cause): Invoice {
  mustAllow('void', invoice);
  withdrawPayment(world, invoice, cause);
  const transitions = { ...invoice.status_transitions, voided_at: world.clock.nowSeconds() };
  const voided = changeInvoice(
    world,
    invoice,
    { status: 'void', auto_advance: false, next_payment_attempt: null, status_transitions: transitions, status_details: undefined },
    cause,
  );
  world.events.emit('invoice.voided', voided, cause);
  world.invoiceChanges.tell({ kind: 'voided', invoice: voided }, cause);
  return voided;
}

/**
 * Gives up on an open invoice as bad debt; it can still be paid. `status_details` says why, and only while it lasts
 * (https://docs.stripe.com/changelog/endive/2026-09-30/invoice-uncollectible-status-detail).
 */
export function markUncollectible(world: World, invoice: Invoice, cause: Cause): Invoice {
  mustAllow('mark_uncollectible', invoice);
  const transitions = { ...invoice.status_transitions, marked_uncollectible_at: world.clock.nowSeconds() };
  const marked = changeInvoice(
    world,
    invoice,
    {
      status: 'uncollectible',
      auto_advance: false,
      next_payment_attempt: null,
      status_details: { uncollectible: { reason: 'user_forgiven' } },
      status_transitions: transitions,
    },
    cause,
  );
  world.events.emit('invoice.marked_uncollectible', marked, cause);
  world.invoiceChanges.tell({ kind: 'uncollectible', invoice: marked }, cause);
  return marked;
}

/** A draft goes without a trace but its event; its items wait for the next invoice again. */
export function deleteInvoice(world: World, invoice: Invoice, cause: Cause): object {
  mustAllow('delete', invoice);
  for (const item of world.invoiceItems.by('invoice', invoice.id)) world.invoiceItems.replace({ ...item, invoice: null });
  world.invoices.remove(invoice.id);
  world.events.emit('invoice.deleted', invoice, cause);
  return { id: invoice.id, object: 'invoice', deleted: true };
}
