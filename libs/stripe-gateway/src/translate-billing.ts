import { withoutMailAddresses } from '@tidegate/telemetry/mail-address';
import type Stripe from 'stripe';
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
import { idOf } from './id-of.js';

/** The period stands on the items: https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end */
export function toSubscription(raw: Stripe.Subscription): Subscription {
  const items = raw.items.data;
  return {
    object: 'subscription',
    id: raw.id,
    status: raw.status,
    customer: idOf(raw.customer),
    currency: raw.currency,
    items: items.map(({ id, price, quantity }) => ({ id, price: price.id, quantity: quantity ?? null })),
    current_period_start: items.length > 0 ? Math.min(...items.map((item) => item.current_period_start)) : null,
    current_period_end: items.length > 0 ? Math.max(...items.map((item) => item.current_period_end)) : null,
    collection_method: raw.collection_method,
    latest_invoice: idOf(raw.latest_invoice),
    pending_setup_intent: idOf(raw.pending_setup_intent),
    trial_end: raw.trial_end,
    cancel_at: raw.cancel_at,
    cancel_at_period_end: raw.cancel_at_period_end,
    canceled_at: raw.canceled_at,
    cancellation_reason: raw.cancellation_details?.reason ?? null,
    ended_at: raw.ended_at,
    paused: raw.pause_collection !== null,
    thresholds: hasThresholds(raw) || items.some(hasThresholds),
    metadata: raw.metadata,
    created: raw.created,
    livemode: raw.livemode,
  };
}

const hasThresholds = ({ billing_thresholds }: { billing_thresholds?: object | null }): boolean => Boolean(billing_thresholds);

export function toInvoice(raw: Stripe.Invoice): Invoice {
  const billed = raw.parent?.subscription_details;
  const intents = (raw.payments?.data ?? [])
    .toSorted((a, b) => a.created - b.created)
    .flatMap(({ payment }) => (payment.payment_intent === undefined ? [] : [payment.payment_intent]));
  const newest = intents.at(-1);
  const error = typeof newest === 'object' ? newest.last_payment_error : null;
  return {
    object: 'invoice',
    id: raw.id,
    status: raw.status,
    customer: idOf(raw.customer),
    number: raw.number,
    subscription: idOf(billed?.subscription),
    billing_reason: raw.billing_reason,
    collection_method: raw.collection_method,
    amount: raw.total,
    amount_due: raw.amount_due,
    amount_paid: raw.amount_paid,
    amount_remaining: raw.amount_remaining,
    currency: raw.currency,
    attempt_count: raw.attempt_count,
    next_payment_attempt: raw.next_payment_attempt,
    due_date: raw.due_date,
    period_start: raw.period_start,
    period_end: raw.period_end,
    finalized_at: raw.status_transitions.finalized_at,
    lines: raw.lines.data.map(toInvoiceLine),
    more_lines: raw.lines.has_more,
    payment_intents: intents.map((intent) => idOf(intent) ?? ''),
    action_required: typeof newest === 'object' && newest.status === 'requires_action',
    failure: error
      ? { code: error.code ?? error.type, decline_code: error.decline_code ?? null, message: withoutMailAddresses(error.message ?? '') }
      : null,
    deleted: false,
    metadata: { ...billed?.metadata, ...raw.metadata },
    created: raw.created,
    livemode: raw.livemode,
  };
}

export function toInvoiceLine({
  id,
  parent,
  pricing,
  period,
  quantity,
  quantity_decimal,
  subscription,
}: Stripe.InvoiceLineItem): InvoiceLine {
  const item = parent?.subscription_item_details;
  const exact = quantity_decimal ?? quantity;
  return {
    object: 'line_item',
    id,
    price: idOf(pricing?.price_details?.price),
    subscription: item?.subscription ?? idOf(subscription),
    recurring: parent?.type === 'subscription_item_details' && item?.proration === false,
    quantity: exact === null ? null : String(exact),
    start: period.start,
    end: period.end,
  };
}

/** Asked for with its tiers. */
export const toPrice = ({ id, recurring, transform_quantity, tiers }: Stripe.Price): Price => ({
  object: 'price',
  id,
  meter: recurring?.meter ?? null,
  transforms: transform_quantity !== null,
  flat_tiers: (tiers ?? []).some(({ flat_amount_decimal }) => Number(flat_amount_decimal ?? 0) !== 0),
});

export const toInvoicePayment = ({ id, invoice, payment, status, created }: Stripe.InvoicePayment): InvoicePayment => ({
  object: 'invoice_payment',
  id,
  invoice: idOf(invoice),
  payment_intent: idOf(payment.payment_intent),
  status,
  created,
});

export const toSetupIntent = ({ id, status, client_secret }: Stripe.SetupIntent): SetupIntent => ({ id, status, client_secret });

/** `default_incomplete` charges nobody: https://docs.stripe.com/api/subscriptions/create#create_subscription-payment_behavior */
export const newSubscription = (p: CreateSubscriptionParams): Stripe.SubscriptionCreateParams => ({
  customer: p.customer,
  items: p.items.map(({ price, quantity }) => ({ price, ...(quantity === undefined ? {} : { quantity }) })),
  metadata: p.metadata,
  ...(p.collectionMethod === 'send_invoice'
    ? { collection_method: p.collectionMethod }
    : { payment_behavior: 'default_incomplete', payment_settings: { save_default_payment_method: 'on_subscription' } }),
  ...(p.daysUntilDue === undefined ? {} : { days_until_due: p.daysUntilDue }),
  ...(p.paymentMethod === undefined ? {} : { default_payment_method: p.paymentMethod }),
  ...(p.trialDays === undefined ? {} : { trial_period_days: p.trialDays }),
  ...(p.cancelAtPeriodEnd === undefined ? {} : { cancel_at_period_end: p.cancelAtPeriodEnd }),
});

export const subscriptionChange = (p: UpdateSubscriptionParams): Stripe.SubscriptionUpdateParams => ({
  ...(p.items === undefined ? {} : { items: p.items, proration_behavior: p.proration ?? 'create_prorations' }),
  ...(p.paymentMethod === undefined ? {} : { default_payment_method: p.paymentMethod }),
  ...(p.cancelAtPeriodEnd === undefined ? {} : { cancel_at_period_end: p.cancelAtPeriodEnd }),
});
