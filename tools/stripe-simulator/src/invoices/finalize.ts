import { type Cause } from '../http/call.js';
import { checkedAmount } from '../money/amounts.js';
import { createIntent } from '../payment-intents/create.js';
import { type World } from '../world.js';
import { mustAllow } from './find.js';
import { type Invoice, subscriptionOf } from './invoice.js';
import { settleInvoice } from './settle.js';
import { totals } from './totals.js';

export const INVOICE_OVERDUE = 'invoice.overdue';

/**
 * Gives a draft its number and opens it: from here on its sums are fixed and there is a PaymentIntent to pay it with. An invoice with
 * nothing to collect is paid at once. Usage counts until then, whoever finalizes it.
 */
export function finalizeInvoice(world: World, asked: Invoice, cause: Cause): Invoice {
  mustAllow('finalize', asked);
  world.invoices.replace(asked);
  world.invoiceChanges.tell({ kind: 'finalizing', invoice: asked }, cause);
  const draft = world.invoices.get(asked.id) ?? asked;
  const balance = world.customers.get(draft.customer)?.balance ?? 0;
  const sums = totals(draft.id, draft.currency, draft.lines.data, balance);
  if (sums.amount_due > 0) checkedAmount(sums.amount_due, draft.currency);
  const now = world.clock.nowSeconds();
  const open = world.invoices.replace({
    ...draft,
    ...sums,
    status: 'open',
    automatically_finalizes_at: null,
    effective_at: draft.effective_at ?? now,
    hosted_invoice_url: `${world.baseUrl}/__invoices/${draft.id}`,
    number: draft.number ?? takeNumber(world, draft.customer),
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  });
  carryBalance(world, open, cause);
  if (open.amount_due > 0) makePayable(world, open, cause);
  world.events.emit('invoice.finalized', open, cause);
  if (open.due_date !== null) world.scheduler.scheduleAt(open.due_date * 1000, { kind: INVOICE_OVERDUE, id: open.id });
  return open.amount_due > 0 ? open : settleInvoice(world, open, { paid: 0, elsewhere: false }, cause);
}

/** The next number of the customer: `<prefix>-0001`. */
function takeNumber(world: World, id: string): string {
  const customer = world.customers.get(id);
  if (customer === undefined) return `DELETED-${world.invoices.size}`;
  world.customers.replace({ ...customer, next_invoice_sequence: customer.next_invoice_sequence + 1 });
  return `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`;
}

function carryBalance(world: World, invoice: Invoice, cause: Cause): void {
  const customer = world.customers.get(invoice.customer);
  if (customer === undefined || customer.balance === invoice.ending_balance) return;
  const after = world.customers.replace({ ...customer, balance: invoice.ending_balance ?? 0 });
  world.events.emit('customer.updated', after, cause, customer);
}

/** The intent that pays the invoice, and the invoice payment that ties the two. */
function makePayable(world: World, invoice: Invoice, cause: Cause): void {
  const subscribed = subscriptionOf(invoice) !== undefined;
  const params = {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: invoice.customer,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    ...(subscribed && { setup_future_usage: 'off_session' }),
    description: DESCRIPTIONS[invoice.billing_reason] ?? invoice.description,
  };
  const intent = createIntent(world, { cause, id: '', params, apiVersion: world.settings.accountApiVersion });
  world.intentOwners.insert({ id: intent.id, invoice: invoice.id });
  world.invoicePayments.insert({
    id: world.ids.next('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: invoice.amount_due,
    created: world.clock.nowSeconds(),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  });
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  subscription_create: 'Subscription creation',
  subscription_cycle: 'Subscription update',
  subscription_update: 'Subscription update',
};
