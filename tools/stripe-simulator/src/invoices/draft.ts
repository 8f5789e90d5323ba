import { type Customer } from '../customers/customer.js';
import { type Cause } from '../http/call.js';
import { checkedAmount } from '../money/amounts.js';
import { type World } from '../world.js';
import { type BillingReason, type CollectionMethod, type Invoice, type InvoiceParent, type LineItem, type Period } from './invoice.js';
import { totals } from './totals.js';

export const FINALIZE_INVOICE = 'invoice.finalize';

export interface Draft {
  readonly customer: Customer;
  readonly currency: string;
  readonly reason: BillingReason;
  readonly collection: CollectionMethod;
  readonly dueDate: number | null;
  /** Whether it is collected by itself: finalized after a while, or by the caller at once. */
  readonly advance: 'later' | 'at_once' | 'never';
  readonly parent: InvoiceParent | null;
  readonly period: Period;
  readonly lines: (invoice: string) => readonly LineItem[];
  readonly fields?: Partial<Invoice>;
}

/** A new draft invoice with `invoice.created`. An advancing one finalizes itself an hour later (setting `invoiceDraftSeconds`). */
export function newDraft(world: World, draft: Draft, cause: Cause): Invoice {
  const { customer, advance } = draft;
  const id = world.ids.next('in');
  const now = world.clock.nowSeconds();
  const finalizesAt = advance === 'later' ? now + world.settings.invoiceDraftSeconds : null;
  const sums = totals(id, draft.currency, draft.lines(id), customer.balance);
  if (sums.amount_due > 0) checkedAmount(sums.amount_due, draft.currency);
  const invoice = world.invoices.insert({
    ...NOTHING,
    ...sums,
    ending_balance: null,
    id,
    object: 'invoice',
    auto_advance: advance !== 'never',
    automatically_finalizes_at: finalizesAt,
    billing_reason: draft.reason,
    collection_method: draft.collection,
    created: now,
    currency: draft.currency,
    customer: customer.id,
    customer_address: customer.address,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_phone: customer.phone,
    customer_shipping: customer.shipping,
    customer_tax_exempt: customer.tax_exempt,
    due_date: draft.dueDate,
    parent: draft.parent,
    period_end: draft.period.end,
    period_start: draft.period.start,
    ...draft.fields,
  });
  world.events.emit('invoice.created', invoice, cause);
  if (finalizesAt !== null) world.scheduler.scheduleAt(finalizesAt * 1000, { kind: FINALIZE_INVOICE, id });
  return invoice;
}

const NOTHING = {
  account_country: 'US',
  account_name: 'Simulated account',
  account_tax_ids: null,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  custom_fields: null,
  customer_account: null,
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  effective_at: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  issuer: { type: 'self' },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  metadata: {},
  next_payment_attempt: null,
  number: null,
  on_behalf_of: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  statement_descriptor: null,
  status: 'draft',
  status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  test_clock: null,
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} as const;
