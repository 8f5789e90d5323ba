/** What is used of Stripe's subscriptions and invoices, in Stripe's names and in those of the contracts. Amounts in minor units, times in epoch seconds. */

export interface Subscription {
  object: 'subscription';
  id: string;
  /** May be one that we do not know yet. */
  status: string;
  customer: string | null;
  currency: string | null;
  items: { id: string; price: string | null; quantity: number | null }[];
  /** What is paid for: the widest of its items, which is where Stripe keeps it. */
  current_period_start: number | null;
  current_period_end: number | null;
  collection_method: string | null;
  latest_invoice: string | null;
  /** With which the payer gives a payment method, or authenticates it, when nothing is to be paid yet: https://docs.stripe.com/billing/subscriptions/deferred-payment */
  pending_setup_intent: string | null;
  trial_end: number | null;
  cancel_at: number | null;
  cancel_at_period_end: boolean;
  canceled_at: number | null;
  cancellation_reason: string | null;
  ended_at: number | null;
  paused: boolean;
  /** Bills what was used before its period ends, when it has come to an amount. */
  thresholds: boolean;
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

export interface Invoice {
  object: 'invoice';
  id: string;
  /** May be one that we do not know yet. */
  status: string | null;
  customer: string | null;
  number: string | null;
  subscription: string | null;
  billing_reason: string | null;
  collection_method: string | null;
  /** Its total; below zero for a credit. */
  amount: number;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  next_payment_attempt: number | null;
  due_date: number | null;
  period_start: number;
  period_end: number;
  /** When it became final; null while it is a draft. */
  finalized_at: number | null;
  /** The first ones, in Stripe's order; `listInvoiceLines` has them all. */
  lines: InvoiceLine[];
  more_lines: boolean;
  /** Made to pay it, oldest first. Known when the answer had its payments expanded, like the next two, which are of the newest; lists have not. */
  payment_intents: string[];
  action_required: boolean;
  failure: { code: string; decline_code: string | null; message: string } | null;
  deleted: boolean;
  /** Its own, else those of the subscription that it bills. */
  metadata: Record<string, string>;
  created: number;
  livemode: boolean;
}

/** A line of an invoice, as far as it bills what was used or subscribed to. */
export interface InvoiceLine {
  object: 'line_item';
  id: string;
  price: string | null;
  subscription: string | null;
  /** Of an item of a subscription for a period, and no proration; else somebody added it. */
  recurring: boolean;
  /**
   * Decimal text. Null: it has none. Where Stripe tells no more than a whole number, that is cut off.
   * https://docs.stripe.com/changelog/dahlia/2026-03-25/invoice-items-decimal-quantity
   */
  quantity: string | null;
  /** Epoch seconds, start inclusive, end exclusive. */
  start: number;
  end: number;
}

/** What a price makes of usage; a price never changes in this. */
export interface Price {
  object: 'price';
  id: string;
  /** The billing meter whose usage it bills; null: it bills none. */
  meter: string | null;
  /** The quantity is divided and rounded before it is priced (`transform_quantity`). */
  transforms: boolean;
  /** A tier of it costs something whatever is used of it. */
  flat_tiers: boolean;
}

/** Sets up a payment method for later payments. */
export interface SetupIntent {
  id: string;
  status: string;
  client_secret: string | null;
}

/** The link between an invoice and what pays it. */
export interface InvoicePayment {
  object: 'invoice_payment';
  id: string;
  invoice: string | null;
  payment_intent: string | null;
  status: string;
  created: number;
}

/** The first invoice is made and not paid: paying it is a call of its own, on an id that is known by then. */
export interface CreateSubscriptionParams {
  customer: string;
  items: { price: string; quantity?: number | undefined }[];
  /** Attached to the customer. */
  paymentMethod?: string | undefined;
  trialDays?: number | undefined;
  collectionMethod?: 'charge_automatically' | 'send_invoice' | undefined;
  daysUntilDue?: number | undefined;
  cancelAtPeriodEnd?: boolean | undefined;
  metadata: Record<string, string>;
}

/** Items with an id are changed or `deleted`, those without one are added. */
export interface UpdateSubscriptionParams {
  items?: { id?: string; price?: string; quantity?: number; deleted?: true }[];
  proration?: 'create_prorations' | 'none';
  paymentMethod?: string;
  cancelAtPeriodEnd?: boolean;
}
