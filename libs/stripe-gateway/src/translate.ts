import { withoutMailAddresses } from '@tidegate/telemetry/mail-address';
import type Stripe from 'stripe';
import {
  type BalanceSource,
  type BalanceTransaction,
  type Card,
  type Charge,
  type CheckoutSession,
  type Customer,
  type Dispute,
  type Intent,
  type IntentStatus,
  type PaymentError,
  type Refund,
  type StripeEvent,
} from './intent.js';
import { idOf } from './id-of.js';
import { FORMULAS, type Meter, type MeterSummary } from './meter.js';

/** From the SDK's objects to ours; the only file that knows both. */
export function toIntent(raw: Stripe.PaymentIntent): Intent {
  const charge = raw.latest_charge;
  const expanded = typeof charge === 'object' ? charge : null;
  return {
    object: 'payment_intent',
    id: raw.id,
    status: raw.status as IntentStatus,
    amount: raw.amount,
    amount_received: raw.amount_received,
    amount_capturable: raw.amount_capturable,
    currency: raw.currency,
    capture_method: raw.capture_method === 'manual' ? 'manual' : 'automatic',
    client_secret: raw.client_secret ?? null,
    next_action: raw.next_action ?? null,
    latest_charge: idOf(charge),
    card: expanded ? cardOf(expanded) : null,
    disputed: expanded ? expanded.disputed : null,
    paid_at: raw.status === 'succeeded' && raw.capture_method !== 'manual' && expanded && cardOf(expanded) ? expanded.created : null,
    last_payment_error: raw.last_payment_error ? toPaymentError(raw.last_payment_error) : null,
    cancellation_reason: raw.cancellation_reason ?? null,
    customer: idOf(raw.customer),
    metadata: raw.metadata,
    created: raw.created,
    livemode: raw.livemode,
  };
}

export function toCharge(raw: Stripe.Charge): Charge {
  return {
    object: 'charge',
    id: raw.id,
    payment_intent: idOf(raw.payment_intent),
    status: raw.status,
    captured: raw.captured,
    paid: raw.paid,
    amount: raw.amount,
    amount_captured: raw.amount_captured,
    amount_refunded: raw.amount_refunded,
    currency: raw.currency,
    balance_transaction: idOf(raw.balance_transaction),
    card: cardOf(raw),
    failure_code: raw.failure_code,
    failure_message: raw.failure_message === null ? null : withoutMailAddresses(raw.failure_message),
    metadata: raw.metadata,
    created: raw.created,
    livemode: raw.livemode,
  };
}

export function toRefund(raw: Stripe.Refund): Refund {
  return {
    object: 'refund',
    id: raw.id,
    payment_intent: idOf(raw.payment_intent),
    charge: idOf(raw.charge),
    status: (raw.status ?? 'pending') as Refund['status'],
    amount: raw.amount,
    currency: raw.currency,
    reason: raw.reason,
    failure_reason: raw.failure_reason ?? null,
    balance_transaction: idOf(raw.balance_transaction),
    metadata: raw.metadata ?? {},
    created: raw.created,
  };
}

export function toDispute(raw: Stripe.Dispute): Dispute {
  return {
    object: 'dispute',
    id: raw.id,
    payment_intent: idOf(raw.payment_intent),
    charge: idOf(raw.charge),
    status: raw.status,
    amount: raw.amount,
    currency: raw.currency,
    reason: raw.reason,
    evidence_details: { due_by: raw.evidence_details.due_by },
    balance_transactions: raw.balance_transactions.map(({ amount, fee, currency }) => ({ amount, fee, currency })),
    metadata: raw.metadata,
    created: raw.created,
    livemode: raw.livemode,
  };
}

export function toBalanceTransaction(raw: Stripe.BalanceTransaction): BalanceTransaction {
  return {
    object: 'balance_transaction',
    id: raw.id,
    amount: raw.amount,
    fee: raw.fee,
    net: raw.net,
    currency: raw.currency,
    exchange_rate: raw.exchange_rate ?? null,
    type: raw.type,
    reporting_category: raw.reporting_category,
    source: raw.source === null ? null : toBalanceSource(raw.source),
    created: raw.created,
  };
}

/** The kinds of sources are many, and more of them come: each is read for what they have in common. */
function toBalanceSource(raw: string | Stripe.BalanceTransactionSource): BalanceSource {
  if (typeof raw === 'string') return { object: 'unknown', id: raw, payment_intent: null, amount: null, currency: null, metadata: {} };
  const source = raw as { amount?: number; amount_captured?: number; currency?: string; metadata?: Record<string, string> | null };
  return {
    object: raw.object,
    id: raw.id,
    payment_intent: 'payment_intent' in raw ? idOf(raw.payment_intent as string | { id: string } | null) : null,
    amount: source.amount_captured ?? source.amount ?? null,
    currency: source.currency ?? null,
    metadata: source.metadata ?? {},
  };
}

export function toCustomer(raw: Stripe.Customer | Stripe.DeletedCustomer): Customer {
  const deleted = raw.deleted === true;
  return { object: 'customer', id: raw.id, deleted, metadata: deleted ? {} : raw.metadata, created: deleted ? 0 : raw.created };
}

export function toCheckoutSession(raw: Stripe.Checkout.Session): CheckoutSession {
  return {
    object: 'checkout.session',
    id: raw.id,
    status: (raw.status ?? 'open') as CheckoutSession['status'],
    payment_status: raw.payment_status as CheckoutSession['payment_status'],
    url: raw.url,
    expires_at: raw.expires_at,
    payment_intent: idOf(raw.payment_intent),
    customer: idOf(raw.customer),
    amount_total: raw.amount_total,
    currency: raw.currency,
    email: raw.customer_details?.email ?? null,
    metadata: raw.metadata ?? {},
    created: raw.created,
    livemode: raw.livemode,
  };
}

export function toMeter(raw: Stripe.Billing.Meter): Meter {
  return {
    object: 'billing.meter',
    id: raw.id,
    event_name: raw.event_name,
    formula: FORMULAS.find((one) => one === raw.default_aggregation.formula) ?? null,
    status: raw.status === 'active' ? 'active' : 'inactive',
    customer_key: raw.customer_mapping.event_payload_key,
    value_key: raw.value_settings.event_payload_key,
    created: raw.created,
  };
}

export function toMeterSummary(raw: Stripe.Billing.MeterEventSummary): MeterSummary {
  const { id, aggregated_value: value, start_time: start, end_time: end } = raw;
  return { object: 'billing.meter_event_summary', id, value, start, end };
}

export function toEvent(raw: Stripe.Event): StripeEvent {
  return {
    object: 'event',
    id: raw.id,
    type: raw.type,
    created: raw.created,
    api_version: raw.api_version,
    livemode: raw.livemode,
    account: raw.account ?? null,
    request: raw.request,
    data: { object: raw.data.object as unknown as Record<string, unknown> },
  };
}

function toPaymentError(raw: Stripe.PaymentIntent.LastPaymentError): PaymentError {
  return {
    code: raw.code ?? raw.type,
    decline_code: raw.decline_code ?? null,
    message: withoutMailAddresses(raw.message ?? ''),
    charge: raw.charge ?? null,
    payment_method: raw.payment_method?.id ?? null,
  };
}

function cardOf(charge: Stripe.Charge): Card | null {
  const card = charge.payment_method_details?.card;
  return card?.brand && card.last4 ? { brand: card.brand, last4: card.last4 } : null;
}
