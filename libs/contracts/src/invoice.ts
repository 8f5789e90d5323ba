import { z } from 'zod';
import { DunningState } from './subscription.js';

/** Stripe's words, and `deleted` of a draft that is gone: https://docs.stripe.com/api/invoices/object#invoice_object-status */
export const INVOICE_STATUSES = ['draft', 'open', 'paid', 'uncollectible', 'void', 'deleted'] as const;
export const InvoiceStatus = z.enum(INVOICE_STATUSES);
export type InvoiceStatus = z.infer<typeof InvoiceStatus>;

const time = z.iso.datetime().nullable();

/**
 * An invoice as published, under Stripe's id: what Stripe showed when it was last asked. Amounts in minor units of `currency`; `amount` is the total, below
 * zero for a credit. `payment_intents`: made to pay it, oldest first; each is a payment here, with origin `subscription` where the invoice bills one.
 */
export const InvoiceSnapshot = z.object({
  invoice_id: z.string(),
  status: z.string(),
  number: z.string().nullable(),
  customer: z.string().nullable(),
  subscription: z.string().nullable(),
  billing_reason: z.string().nullable(),
  collection_method: z.string().nullable(),
  amount: z.int(),
  amount_due: z.int(),
  amount_paid: z.int(),
  amount_remaining: z.int(),
  currency: z.string(),
  attempt_count: z.int().nonnegative(),
  next_payment_attempt: time,
  due_date: time,
  period_start: time,
  period_end: time,
  payment_intents: z.array(z.string()),
  dunning: DunningState.nullable().describe('Null while it goes as planned'),
  failure: z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() }).nullable(),
  livemode: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type InvoiceSnapshot = z.infer<typeof InvoiceSnapshot>;

export const exampleInvoiceSnapshot: InvoiceSnapshot = {
  invoice_id: 'in_3Example',
  status: 'paid',
  number: 'EXAMPLE-0001',
  customer: 'cus_3Example',
  subscription: 'sub_3Example',
  billing_reason: 'subscription_cycle',
  collection_method: 'charge_automatically',
  amount: 4200,
  amount_due: 4200,
  amount_paid: 4200,
  amount_remaining: 0,
  currency: 'usd',
  attempt_count: 1,
  next_payment_attempt: null,
  due_date: null,
  period_start: '2026-11-21T06:00:00.000Z',
  period_end: '2026-12-21T06:00:00.000Z',
  payment_intents: ['pi_3Example'],
  dunning: null,
  failure: null,
  livemode: false,
  created_at: '2026-11-21T06:00:00.000Z',
  updated_at: '2026-11-21T06:00:01.000Z',
};

/** The invoice as REST answers it. */
export const InvoiceView = InvoiceSnapshot.omit({ invoice_id: true, livemode: true, created_at: true, updated_at: true }).extend({
  id: z.string(),
  object: z.literal('invoice'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type InvoiceView = z.infer<typeof InvoiceView>;
