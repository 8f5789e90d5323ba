import { z } from 'zod';
import { commonFields, number, stripeContracts, text } from './common.js';

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
 * first. `deleted`: it was a draft, and is gone. Minor units; epoch seconds.
 */
export const InvoiceObject = z.object({
  object: z.literal('invoice'),
  ...commonFields,
  number: text,
  subscription: text,
  billing_reason: text,
  collection_method: text,
  amount: number,
  amount_due: number,
  amount_paid: number,
  amount_remaining: number,
  currency: text,
  attempt_count: number,
  next_payment_attempt: number,
  due_date: number,
  period_start: number,
  period_end: number,
  payment_intents: z.array(z.string()),
  deleted: z.boolean(),
});
export type InvoiceObject = z.infer<typeof InvoiceObject>;

export const invoiceEvents = stripeContracts({
  types: INVOICE_TYPES,
  object: InvoiceObject,
  example: {
    object: 'invoice' as const,
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
    deleted: false,
  },
  doc: (type) => `Stripe said ${type}; the invoice is as Stripe showed it afterwards.`,
});
