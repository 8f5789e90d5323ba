import { type InvoiceFact } from '@tidegate/contracts/events/invoice';
import { type InvoiceObject } from '@tidegate/contracts/events/stripe-event/invoice';
import { type InvoiceSnapshot } from '@tidegate/contracts/invoice';
import { type DunningState } from '@tidegate/contracts/subscription';
import { type Observed, type ObservedRules } from '../observed/observed.decide.js';
import { timeOf } from '../subscription/subscription.seen.js';

type Shown = Omit<InvoiceObject, 'object' | 'payment_intent' | 'metadata'>;

/** An invoice as Stripe shows it, without what others write on it. Minor units; epoch seconds. */
export interface SeenInvoice extends Pick<
  Shown,
  'id' | 'number' | 'customer' | 'subscription' | 'billing_reason' | 'collection_method' | 'created' | 'next_payment_attempt' | 'due_date'
> {
  /** Stripe's, or `deleted`. */
  status: string;
  amount: number;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  period_start: number | null;
  period_end: number | null;
  payment_intents: string[];
  action_required: boolean;
  failure: { code: string; decline_code: string | null; message: string } | null;
}

/** From an event, or from an answer of Stripe's: both have these names. */
export const seenInvoice = (shown: Shown): SeenInvoice => ({
  id: shown.id,
  status: shown.deleted ? 'deleted' : (shown.status ?? 'draft'),
  number: shown.number,
  customer: shown.customer,
  subscription: shown.subscription,
  billing_reason: shown.billing_reason,
  collection_method: shown.collection_method,
  amount: shown.amount ?? 0,
  amount_due: shown.amount_due ?? 0,
  amount_paid: shown.amount_paid ?? 0,
  amount_remaining: shown.amount_remaining ?? 0,
  currency: shown.currency ?? '',
  attempt_count: shown.attempt_count ?? 0,
  next_payment_attempt: shown.next_payment_attempt,
  due_date: shown.due_date,
  period_start: shown.period_start,
  period_end: shown.period_end,
  payment_intents: [...shown.payment_intents],
  action_required: shown.action_required ?? false,
  failure: shown.failure ? { ...shown.failure } : null,
  created: shown.created,
});

const FINAL = ['paid', 'void', 'deleted'];

const FACT_OF_STATUS: Readonly<Record<string, InvoiceFact>> = {
  open: 'finalized',
  paid: 'paid',
  uncollectible: 'uncollectible',
  void: 'voided',
  deleted: 'deleted',
};

export const invoiceRules: ObservedRules<SeenInvoice, InvoiceFact> = {
  statusOf: ({ status }) => status,
  isFinal: (status) => FINAL.includes(status),
  factsOf(before, after) {
    const ofStatus = before?.status === after.status ? [] : [FACT_OF_STATUS[after.status]].flatMap((fact) => fact ?? []);
    const told: InvoiceFact[] = [...ofStatus, ...troubleOf(before, after)];
    if (before === null) return ['created', ...told];
    return told.length > 0 ? told : ['updated'];
  },
};

/** A failed attempt counts or says another reason; one that a person made by hand in between does not always count. */
function troubleOf(before: SeenInvoice | null, after: SeenInvoice): InvoiceFact[] {
  if (after.status !== 'open') return [];
  const attempted = after.attempt_count > (before?.attempt_count ?? 0);
  const failed = after.failure !== null && (attempted || before?.failure?.code !== after.failure.code);
  const acts = after.action_required && !before?.action_required;
  return [...(failed ? (['payment_failed'] as const) : []), ...(acts ? (['action_required'] as const) : [])];
}

/** What an invoice waits for that is not paid as planned; null while it goes as planned, or is over. */
export function dunningOf(invoice: SeenInvoice): DunningState | null {
  const { status, collection_method, attempt_count, next_payment_attempt } = invoice;
  if (status === 'uncollectible') return 'given_up';
  if (status !== 'open') return null;
  if (invoice.action_required) return 'action_required';
  if (next_payment_attempt !== null) return attempt_count > 0 ? 'retrying' : null;
  return collection_method === 'charge_automatically' && invoice.amount_remaining > 0 ? 'needs_payment' : null;
}

/** The only road from what was seen to the contract. */
export function invoiceSnapshot({ object, livemode, changed_at }: Observed<SeenInvoice>): InvoiceSnapshot {
  return {
    invoice_id: object.id,
    status: object.status,
    number: object.number,
    customer: object.customer,
    subscription: object.subscription,
    billing_reason: object.billing_reason,
    collection_method: object.collection_method,
    amount: object.amount,
    amount_due: object.amount_due,
    amount_paid: object.amount_paid,
    amount_remaining: object.amount_remaining,
    currency: object.currency,
    attempt_count: object.attempt_count,
    next_payment_attempt: timeOf(object.next_payment_attempt),
    due_date: timeOf(object.due_date),
    period_start: timeOf(object.period_start),
    period_end: timeOf(object.period_end),
    payment_intents: object.payment_intents,
    dunning: dunningOf(object),
    failure: object.failure,
    livemode,
    created_at: timeOf(object.created) ?? changed_at,
    updated_at: changed_at,
  };
}
