import {
  type CreateSubscriptionParams,
  type Invoice,
  type InvoiceLine,
  type InvoicePayment,
  type Price,
  type SetupIntent,
  type Subscription,
  type UpdateSubscriptionParams,
} from './billing.js';
import {
  type BalanceTransaction,
  type Charge,
  type CheckoutSession,
  type Customer,
  type Dispute,
  type Intent,
  type Refund,
  type StripeEvent,
} from './intent.js';
import { type Meter, type MeterSummary } from './meter.js';
import { type StripeOutcome } from './outcome.js';
import { type RetrievableKind } from './retrievable.js';

export { type StripeFailure, type StripeOutcome, type UnknownCause } from './outcome.js';

export interface CreateIntentParams {
  amount: number;
  currency: string;
  /** `automatic` is Stripe's automatic_async. */
  captureMethod: 'automatic' | 'manual';
  allowRedirects: 'always' | 'never';
  customer?: string;
  description?: string;
  receiptEmail?: string;
  /** Saves the payment method with the customer. */
  setupFutureUsage?: 'on_session' | 'off_session';
  metadata: Record<string, string>;
}

export interface ConfirmIntentParams {
  paymentMethod: string;
  returnUrl?: string;
  /** The customer cannot authenticate: the need to is a decline, `authentication_required`. */
  offSession?: boolean;
}

export interface CaptureIntentParams {
  /** Minor units; absent captures all, the rest is released. */
  amount?: number;
}

export interface CancelIntentParams {
  reason?: 'duplicate' | 'fraudulent' | 'requested_by_customer' | 'abandoned';
}

export interface CreateRefundParams {
  intent: string;
  amount: number;
  reason?: 'duplicate' | 'fraudulent' | 'requested_by_customer';
  metadata: Record<string, string>;
}

export interface CreateCustomerParams {
  email?: string;
  name?: string;
  locale?: string;
  metadata: Record<string, string>;
}

export interface CreateCheckoutSessionParams {
  currency: string;
  lineItems: { name: string; quantity: number; unitAmount: number }[];
  successUrl: string;
  cancelUrl: string;
  customer?: string;
  locale?: string;
  /** Epoch seconds, 30 minutes to 24 hours from now (Stripe's rule for `expires_at`). */
  expiresAt: number;
  /** On the session and on the PaymentIntent that it will make. */
  metadata: Record<string, string>;
}

/** Usage of a customer; the meter of that event name takes it. */
export interface MeterEventParams {
  meter: MeterKeys;
  customer: string;
  /** Decimal text, up to 15 digits before the point and 12 after it; negative takes back. */
  value: string;
  /** Unique per account within a rolling window of at least 24 hours, and the only guard of this call: it has no Idempotency-Key, so no error is kept under one. */
  identifier: string;
  /** Epoch seconds: at most 35 days ago, and 5 minutes ahead. */
  timestamp: number;
}

/** Names that the meter gives to its parts of a payload. */
export interface MeterKeys {
  event_name: string;
  customer_key: string;
  value_key: string;
}

export interface MeterSummariesQuery {
  customer: string;
  /** Epoch seconds on the full hour: start inclusive, end exclusive. */
  start: number;
  end: number;
}

/** Newest first. Times in epoch seconds, inclusive for gte and lte. */
export interface ListQuery {
  created?: { gte?: number; gt?: number; lte?: number; lt?: number };
  /** 1 to 100; 100 when absent. */
  limit?: number;
  starting_after?: string;
  ending_before?: string;
}

export interface Page<T> {
  data: T[];
  has_more: boolean;
}

/** `key` is the Idempotency-Key of the call; the same key must always go with the same parameters. No method throws or retries. */
export interface StripePort {
  createIntent(params: CreateIntentParams, key: string): Promise<StripeOutcome<Intent>>;
  confirmIntent(id: string, params: ConfirmIntentParams, key: string): Promise<StripeOutcome<Intent>>;
  captureIntent(id: string, params: CaptureIntentParams, key: string): Promise<StripeOutcome<Intent>>;
  cancelIntent(id: string, params: CancelIntentParams, key: string): Promise<StripeOutcome<Intent>>;
  createRefund(params: CreateRefundParams, key: string): Promise<StripeOutcome<Refund>>;
  createCustomer(params: CreateCustomerParams, key: string): Promise<StripeOutcome<Customer>>;
  /** Has no key: a repetition is `not_found`. Cancels the subscriptions, too (Stripe's rule). */
  deleteCustomer(id: string): Promise<StripeOutcome<Customer>>;
  createCheckoutSession(params: CreateCheckoutSessionParams, key: string): Promise<StripeOutcome<CheckoutSession>>;
  /** `rejected` unless the session is open. */
  expireCheckoutSession(id: string, key: string): Promise<StripeOutcome<CheckoutSession>>;
  /** Moves no money: the first invoice waits for `payInvoice`. One that costs nothing now (a trial) is in force at once. */
  createSubscription(params: CreateSubscriptionParams, key: string): Promise<StripeOutcome<Subscription>>;
  updateSubscription(id: string, params: UpdateSubscriptionParams, key: string): Promise<StripeOutcome<Subscription>>;
  /** At once. Has no key: a repetition is `not_found`, like any other change of one that is over. */
  cancelSubscription(id: string): Promise<StripeOutcome<Subscription>>;
  /** While the customer is there, by the default payment method of invoice, subscription or customer; `rejected` when there is none, or nothing is to be paid. `declined` may mean that the customer has to act. */
  payInvoice(id: string, key: string): Promise<StripeOutcome<Invoice>>;
  /** `duplicate`: Stripe has taken an event with this identifier already. Accepted is not yet counted: summaries follow later. */
  createMeterEvent(params: MeterEventParams): Promise<StripeOutcome<{ duplicate: boolean }>>;
  retrieveIntent(id: string): Promise<StripeOutcome<Intent>>;
  retrieveCharge(id: string): Promise<StripeOutcome<Charge>>;
  retrieveRefund(id: string): Promise<StripeOutcome<Refund>>;
  retrieveDispute(id: string): Promise<StripeOutcome<Dispute>>;
  retrieveCustomer(id: string): Promise<StripeOutcome<Customer>>;
  retrieveCheckoutSession(id: string): Promise<StripeOutcome<CheckoutSession>>;
  retrieveSubscription(id: string): Promise<StripeOutcome<Subscription>>;
  /** With what pays it. A draft that was deleted is `not_found`. */
  retrieveInvoice(id: string): Promise<StripeOutcome<Invoice>>;
  retrieveSetupIntent(id: string): Promise<StripeOutcome<SetupIntent>>;
  retrieveEvent(id: string): Promise<StripeOutcome<StripeEvent>>;
  /** Any of these kinds as Stripe renders it at the pinned API version, field by field. A deleted customer is a stub with `deleted: true`. */
  retrieveObject(kind: RetrievableKind, id: string): Promise<StripeOutcome<Record<string, unknown>>>;
  listIntents(query: ListQuery & { customer?: string }): Promise<StripeOutcome<Page<Intent>>>;
  listCharges(query: ListQuery & { payment_intent?: string }): Promise<StripeOutcome<Page<Charge>>>;
  listRefunds(query: ListQuery & { payment_intent?: string; charge?: string }): Promise<StripeOutcome<Page<Refund>>>;
  listCustomers(query: ListQuery): Promise<StripeOutcome<Page<Customer>>>;
  listCheckoutSessions(query: ListQuery & { payment_intent?: string }): Promise<StripeOutcome<Page<CheckoutSession>>>;
  listDisputes(query: ListQuery & { payment_intent?: string; charge?: string }): Promise<StripeOutcome<Page<Dispute>>>;
  /** With what moved the money; `source` is the id of that. */
  listBalanceTransactions(query: ListQuery & { source?: string }): Promise<StripeOutcome<Page<BalanceTransaction>>>;
  /** Of every status, those that are over included. */
  listSubscriptions(query: ListQuery & { customer?: string }): Promise<StripeOutcome<Page<Subscription>>>;
  listInvoices(query: ListQuery & { subscription?: string }): Promise<StripeOutcome<Page<Invoice>>>;
  /** All lines, in Stripe's order. */
  listInvoiceLines(id: string, query: ListQuery): Promise<StripeOutcome<Page<InvoiceLine>>>;
  retrievePrice(id: string): Promise<StripeOutcome<Price>>;
  listInvoicePayments(query: ListQuery & { payment_intent: string }): Promise<StripeOutcome<Page<InvoicePayment>>>;
  listMeters(query: ListQuery): Promise<StripeOutcome<Page<Meter>>>;
  /** What a meter makes of a customer's usage in each hour; newest first, every hour of the range. */
  listMeterSummaries(id: string, query: ListQuery & MeterSummariesQuery): Promise<StripeOutcome<Page<MeterSummary>>>;
  /** With what moved the money. */
  retrieveBalanceTransaction(id: string): Promise<StripeOutcome<BalanceTransaction>>;
  listEvents(query: ListQuery & { types?: string[]; delivery_success?: boolean }): Promise<StripeOutcome<Page<StripeEvent>>>;
}

export const WRITES = [
  'createIntent',
  'confirmIntent',
  'captureIntent',
  'cancelIntent',
  'createRefund',
  'createCustomer',
  'deleteCustomer',
  'createCheckoutSession',
  'expireCheckoutSession',
  'createSubscription',
  'updateSubscription',
  'cancelSubscription',
  'payInvoice',
  'createMeterEvent',
] as const;
export const READS = [
  'retrieveIntent',
  'retrieveCharge',
  'retrieveRefund',
  'retrieveDispute',
  'retrieveCustomer',
  'retrieveCheckoutSession',
  'retrieveSubscription',
  'retrieveInvoice',
  'retrievePrice',
  'retrieveSetupIntent',
  'retrieveEvent',
  'retrieveObject',
  'listIntents',
  'listCharges',
  'listRefunds',
  'listCustomers',
  'listCheckoutSessions',
  'listDisputes',
  'listBalanceTransactions',
  'listSubscriptions',
  'listInvoices',
  'listInvoiceLines',
  'listInvoicePayments',
  'listMeters',
  'listMeterSummaries',
  'retrieveBalanceTransaction',
  'listEvents',
] as const;
export const OPERATIONS = [...WRITES, ...READS] as const;
export type Operation = (typeof OPERATIONS)[number];

/** `createIntent` -> `create_intent`, as spans and metrics name it. */
export const operationName = (operation: Operation): string => operation.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Puts something around each call of a port. */
export function around(
  port: StripePort,
  wrap: <T>(operation: Operation, call: () => Promise<StripeOutcome<T>>) => Promise<StripeOutcome<T>>,
): StripePort {
  const wrapped = OPERATIONS.map((operation) => {
    const method = port[operation].bind(port) as (...args: unknown[]) => Promise<StripeOutcome<unknown>>;
    return [operation, (...args: unknown[]) => wrap(operation, () => method(...args))];
  });
  return Object.fromEntries(wrapped) as StripePort;
}
