import { z } from 'zod';
import { amount, commonFields, count, seconds, since, stripeContracts, StripeFailureDetails, text } from './common.js';

export const INVOICE_TYPES = [
  'invoice.created',
  'invoice.updated',
  'invoice.finalized',
  'invoice.finalization_failed',
  'invoice.sent',
  'invoice.will_be_due',
  'invoice.overdue',
  'invoice.overpaid',
  'invoice.paid',
  'invoice.payment_action_required',
  'invoice.payment_attempt_required',
  'invoice.payment_failed',
  'invoice.payment_succeeded',
  'invoice.marked_uncollectible',
  'invoice.voided',
  'invoice.deleted',
] as const;

/**
 * Always one that was retrieved after the event, like a subscription. `amount` is its total. `payment_intents` are those that were made to pay it, oldest
 * first; `action_required` and `failure` are of the newest of them. `metadata` are its own, else those of the subscription that it bills. `deleted`: it was a
 * draft, and is gone. Minor units; epoch seconds.
 */
export const InvoiceObject = z.object({
  object: z.literal('invoice'),
  ...commonFields,
  number: text,
  subscription: text,
  billing_reason: text,
  collection_method: text,
  amount: amount,
  amount_due: amount,
  amount_paid: amount,
  amount_remaining: amount,
  currency: text,
  attempt_count: count,
  next_payment_attempt: seconds,
  due_date: seconds,
  period_start: seconds,
  period_end: seconds,
  payment_intents: z.array(z.string()),
  action_required: since(z.boolean()),
  failure: since(StripeFailureDetails.nullable()),
  deleted: z.boolean(),
});
export type InvoiceObject = z.infer<typeof InvoiceObject>;

const example: InvoiceObject = {
  object: 'invoice',
  id: 'in_3Example',
  status: 'paid',
  created: 1795240700,
  payment_intent: null,
  customer: 'cus_3Example',
  metadata: {},
  number: 'EXAMPLE-0001',
  subscription: 'sub_3Example',
  billing_reason: 'subscription_create',
  collection_method: 'charge_automatically',
  amount: 4200,
  amount_due: 4200,
  amount_paid: 4200,
  amount_remaining: 0,
  currency: 'usd',
  attempt_count: 1,
  next_payment_attempt: null,
  due_date: null,
  period_start: 1795240700,
  period_end: 1795240700,
  payment_intents: ['pi_3Example'],
  action_required: false,
  failure: null,
  deleted: false,
};

export const invoiceEvents = INVOICE_TYPES.flatMap((type) =>
  stripeContracts({
    types: [type],
    object: InvoiceObject,
    example: type === 'invoice.deleted' ? { ...example, status: 'draft', payment_intents: [], deleted: true } : example,
    hint: type !== 'invoice.deleted',
    doc: () => `Stripe said ${type}; the invoice is as Stripe showed it afterwards.`,
  }),
);
