import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { countedAttempts } from './attempts.js';
import { changeInvoice } from './change.js';
import { type Invoice } from './invoice.js';
import { paymentOf } from './payment.js';

/** What was paid, in minor units; `elsewhere`: in cash or by a transfer that Stripe did not see. */
interface Settlement {
  readonly paid: number;
  readonly elsewhere: boolean;
}

/**
 * Makes an invoice paid. `invoice.paid` comes always, `invoice.payment_succeeded` only when it was not paid elsewhere. Subscriptions
 * listen through `world.invoiceChanges`.
 */
export function settleInvoice(world: World, open: Invoice, { paid, elsewhere }: Settlement, cause: Cause): Invoice {
  const now = world.clock.nowSeconds();
  const payment = paymentOf(world, open);
  if (payment?.status === 'open' && !elsewhere) {
    const done = {
      ...payment,
      amount_paid: paid,
      status: 'paid',
      status_transitions: { ...payment.status_transitions, paid_at: now },
    } as const;
    world.events.emit('invoice_payment.paid', world.invoicePayments.replace(done), cause);
  }
  const invoice = changeInvoice(
    world,
    open,
    {
      status: 'paid',
      amount_paid: elsewhere ? open.amount_due : paid,
      amount_remaining: 0,
      attempt_count: countedAttempts(open, cause),
      attempted: true,
      auto_advance: false,
      next_payment_attempt: null,
      status_details: undefined,
      status_transitions: { ...open.status_transitions, paid_at: now },
      ...(elsewhere && { amount_paid_off_stripe: open.amount_due }),
    },
    cause,
  );
  world.events.emit('invoice.paid', invoice, cause);
  if (!elsewhere) world.events.emit('invoice.payment_succeeded', invoice, cause);
  world.invoiceChanges.tell({ kind: 'paid', invoice }, cause);
  return world.invoices.get(invoice.id) ?? invoice;
}
