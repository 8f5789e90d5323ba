import Stripe from 'stripe';
import { classifyError } from './classify-error.js';
import { deadlineHttpClient } from './http-client.js';
import {
  type CreateCheckoutSessionParams,
  type ListQuery,
  type MeterEventParams,
  type Page,
  type StripeOutcome,
  type StripePort,
} from './port.js';
import { pathOf } from './retrievable.js';
import {
  toBalanceTransaction,
  toCharge,
  toCheckoutSession,
  toCustomer,
  toDispute,
  toEvent,
  toIntent,
  toMeter,
  toMeterSummary,
  toRefund,
} from './translate.js';
import {
  newSubscription,
  subscriptionChange,
  toInvoice,
  toInvoiceLine,
  toInvoicePayment,
  toPrice,
  toSetupIntent,
  toSubscription,
} from './translate-billing.js';
import { withoutQuotes } from './without-quotes.js';

export interface StripeAdapterConfig {
  /** A function is asked at each call: the key may have changed. */
  secretKey: string | (() => string);
  /** Stripe's own when absent. */
  apiBase?: string;
  /** For one call, from connect to the last byte; 10 s when absent. */
  deadlineMs?: number;
}

/** The API version that everything here is written for; webhook endpoints must have the same. */
export const API_VERSION = Stripe.API_VERSION;

const DEADLINE_MS = 10_000;
const withCharge = { expand: ['latest_charge'] };
const withPayments = { expand: ['payments.data.payment.payment_intent'] };

/** The port on the official SDK. `close` ends idle connections. */
export function createStripeAdapter(config: StripeAdapterConfig): StripePort & { close(): void } {
  const deadlineMs = config.deadlineMs ?? DEADLINE_MS;
  const httpClient = deadlineHttpClient(deadlineMs);
  const stripe = perKey(
    config.secretKey,
    (key) =>
      new Stripe(key, {
        apiVersion: API_VERSION,
        maxNetworkRetries: 0,
        timeout: deadlineMs,
        httpClient: httpClient as never,
        telemetry: false,
        ...hostOf(config.apiBase),
      }),
  );

  const port: StripePort = {
    createIntent: (p, key) =>
      call(
        stripe().paymentIntents.create(
          {
            amount: p.amount,
            currency: p.currency,
            capture_method: p.captureMethod === 'manual' ? 'manual' : 'automatic_async',
            automatic_payment_methods: { enabled: true, allow_redirects: p.allowRedirects },
            metadata: p.metadata,
            ...(p.customer === undefined ? {} : { customer: p.customer }),
            ...(p.description === undefined ? {} : { description: p.description }),
            ...(p.receiptEmail === undefined ? {} : { receipt_email: p.receiptEmail }),
            ...(p.setupFutureUsage === undefined ? {} : { setup_future_usage: p.setupFutureUsage }),
          },
          { idempotencyKey: key },
        ),
        toIntent,
      ),
    confirmIntent: (id, p, key) =>
      call(
        stripe().paymentIntents.confirm(
          id,
          {
            payment_method: p.paymentMethod,
            ...(p.returnUrl === undefined ? {} : { return_url: p.returnUrl }),
            ...(p.offSession === undefined ? {} : { off_session: p.offSession }),
            ...withCharge,
          },
          { idempotencyKey: key },
        ),
        toIntent,
      ),
    captureIntent: (id, p, key) =>
      call(
        stripe().paymentIntents.capture(
          id,
          { ...(p.amount === undefined ? {} : { amount_to_capture: p.amount }), ...withCharge },
          { idempotencyKey: key },
        ),
        toIntent,
      ),
    cancelIntent: (id, p, key) =>
      call(
        stripe().paymentIntents.cancel(id, p.reason === undefined ? {} : { cancellation_reason: p.reason }, { idempotencyKey: key }),
        toIntent,
      ),
    createRefund: (p, key) =>
      call(
        stripe().refunds.create(
          { payment_intent: p.intent, amount: p.amount, metadata: p.metadata, ...(p.reason === undefined ? {} : { reason: p.reason }) },
          { idempotencyKey: key },
        ),
        toRefund,
      ),
    createCustomer: (p, key) =>
      call(
        stripe().customers.create(
          {
            metadata: p.metadata,
            ...(p.email === undefined ? {} : { email: p.email }),
            ...(p.name === undefined ? {} : { name: p.name }),
            ...(p.locale === undefined ? {} : { preferred_locales: [p.locale] }),
          },
          { idempotencyKey: key },
        ),
        toCustomer,
      ),
    deleteCustomer: (id) => call(stripe().customers.del(id), toCustomer),
    createCheckoutSession: (p, key) =>
      call(stripe().checkout.sessions.create(sessionParams(p), { idempotencyKey: key }), toCheckoutSession),
    expireCheckoutSession: (id, key) => call(stripe().checkout.sessions.expire(id, {}, { idempotencyKey: key }), toCheckoutSession),
    createSubscription: (p, key) => call(stripe().subscriptions.create(newSubscription(p), { idempotencyKey: key }), toSubscription),
    updateSubscription: (id, p, key) =>
      call(stripe().subscriptions.update(id, subscriptionChange(p), { idempotencyKey: key }), toSubscription),
    cancelSubscription: (id) => call(stripe().subscriptions.cancel(id), toSubscription),
    // The customer is there: without it Stripe takes them for absent (`InvoicePayParams` of the SDK).
    payInvoice: (id, key) => call(stripe().invoices.pay(id, { ...withPayments, off_session: false }, { idempotencyKey: key }), toInvoice),
    createMeterEvent: async (p) =>
      duplicateIsTaken(await call(stripe().billing.meterEvents.create(meterEvent(p)), () => ({ duplicate: false }))),
    retrieveIntent: (id) => call(stripe().paymentIntents.retrieve(id, withCharge), toIntent),
    retrieveCharge: (id) => call(stripe().charges.retrieve(id), toCharge),
    retrieveRefund: (id) => call(stripe().refunds.retrieve(id), toRefund),
    retrieveDispute: (id) => call(stripe().disputes.retrieve(id), toDispute),
    retrieveCustomer: (id) => call(stripe().customers.retrieve(id), toCustomer),
    retrieveCheckoutSession: (id) => call(stripe().checkout.sessions.retrieve(id), toCheckoutSession),
    retrieveSubscription: (id) => call(stripe().subscriptions.retrieve(id), toSubscription),
    retrieveInvoice: (id) => call(stripe().invoices.retrieve(id, withPayments), toInvoice),
    retrievePrice: (id) => call(stripe().prices.retrieve(id, { expand: ['tiers'] }), toPrice),
    retrieveSetupIntent: (id) => call(stripe().setupIntents.retrieve(id), toSetupIntent),
    retrieveEvent: (id) => call(stripe().events.retrieve(id), toEvent),
    retrieveObject: (kind, id) => call(stripe().rawRequest('GET', pathOf(kind, id)), asRendered),
    listIntents: (query) => call(stripe().paymentIntents.list({ ...paged(query), expand: ['data.latest_charge'] }), pageOf(toIntent)),
    listCharges: (query) => call(stripe().charges.list(paged(query)), pageOf(toCharge)),
    listRefunds: (query) => call(stripe().refunds.list(paged(query)), pageOf(toRefund)),
    listCustomers: (query) => call(stripe().customers.list(paged(query)), pageOf(toCustomer)),
    listCheckoutSessions: (query) => call(stripe().checkout.sessions.list(paged(query)), pageOf(toCheckoutSession)),
    listDisputes: (query) => call(stripe().disputes.list(paged(query)), pageOf(toDispute)),
    listBalanceTransactions: (query) =>
      call(stripe().balanceTransactions.list({ ...paged(query), expand: ['data.source'] }), pageOf(toBalanceTransaction)),
    listSubscriptions: (query) => call(stripe().subscriptions.list({ ...paged(query), status: 'all' }), pageOf(toSubscription)),
    listInvoices: (query) => call(stripe().invoices.list(paged(query)), pageOf(toInvoice)),
    listInvoiceLines: (id, query) => call(stripe().invoices.listLineItems(id, paged(query)), pageOf(toInvoiceLine)),
    listInvoicePayments: ({ payment_intent, ...query }) =>
      call(
        stripe().invoicePayments.list({ ...paged(query), payment: { type: 'payment_intent', payment_intent } }),
        pageOf(toInvoicePayment),
      ),
    listMeters: (query) => call(stripe().billing.meters.list(paged(query)), pageOf(toMeter)),
    listMeterSummaries: (id, { start, end, ...query }) =>
      call(
        stripe().billing.meters.listEventSummaries(id, {
          ...paged(query),
          start_time: start,
          end_time: end,
          value_grouping_window: 'hour',
        }),
        pageOf(toMeterSummary),
      ),
    retrieveBalanceTransaction: (id) => call(stripe().balanceTransactions.retrieve(id, { expand: ['source'] }), toBalanceTransaction),
    listEvents: (query) => call(stripe().events.list(paged(query)), pageOf(toEvent)),
  };
  return { ...withoutQuotes(port), close: () => httpClient.close() };
}

/** Prices are made on the spot; our ids go on the session and on the intent that it makes. */
const sessionParams = (p: CreateCheckoutSessionParams) => ({
  mode: 'payment' as const,
  line_items: p.lineItems.map(({ name, quantity, unitAmount }) => ({
    quantity,
    price_data: { currency: p.currency, unit_amount: unitAmount, product_data: { name } },
  })),
  success_url: p.successUrl,
  cancel_url: p.cancelUrl,
  expires_at: p.expiresAt,
  metadata: p.metadata,
  payment_intent_data: { metadata: p.metadata },
  ...(p.customer === undefined ? {} : { customer: p.customer }),
  ...(p.locale === undefined ? {} : { locale: p.locale as 'auto' }),
});

const meterEvent = ({ meter, customer, value, identifier, timestamp }: MeterEventParams) => ({
  event_name: meter.event_name,
  payload: { [meter.customer_key]: customer, [meter.value_key]: value },
  identifier,
  timestamp,
});

/** Stripe has no code for it: "An event already exists with identifier …". */
const TAKEN = /already exists with identifier/i;

const duplicateIsTaken = (outcome: StripeOutcome<{ duplicate: boolean }>): StripeOutcome<{ duplicate: boolean }> =>
  outcome.kind === 'rejected' && TAKEN.test(outcome.message) ? { kind: 'ok', value: { duplicate: true }, requestId: null } : outcome;

const asRendered = (raw: unknown) => raw as Record<string, unknown>;

type Answer<R> = R & { lastResponse?: { requestId?: string } };

async function call<R, T>(request: Promise<Answer<R>>, translate: (raw: R) => T): Promise<StripeOutcome<T>> {
  try {
    const raw = await request;
    return { kind: 'ok', value: translate(raw), requestId: raw.lastResponse?.requestId ?? null };
  } catch (error) {
    return classifyError(error);
  }
}

const paged = <Q extends ListQuery>(query: Q): Q & { limit: number } => ({ ...query, limit: query.limit ?? 100 });

const pageOf =
  <R, T>(translate: (raw: R) => T) =>
  (raw: { data: R[]; has_more: boolean }): Page<T> => ({ data: raw.data.map(translate), has_more: raw.has_more });

export function hostOf(apiBase: string | undefined): { host?: string; port?: string; protocol?: 'http' | 'https' } {
  if (apiBase === undefined) return {};
  const url = new URL(apiBase);
  const protocol = url.protocol === 'http:' ? 'http' : 'https';
  return { host: url.hostname, port: url.port || (protocol === 'http' ? '80' : '443'), protocol };
}

/** A client per key; they share connections, and calls under way end with the key they began with. */
function perKey(secretKey: string | (() => string), create: (key: string) => Stripe): () => Stripe {
  if (typeof secretKey === 'string') {
    const only = create(secretKey);
    return () => only;
  }
  let latest: { key: string; stripe: Stripe } | undefined;
  return () => {
    const key = secretKey();
    if (latest?.key !== key) latest = { key, stripe: create(key) };
    return latest.stripe;
  };
}
