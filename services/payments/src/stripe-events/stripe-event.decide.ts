import { isAbout, type NormalizedStripeEvent, type StripeEventAbout } from '@tidegate/contracts/events/stripe-event';
import { type Intent, type IntentStatus, type Refund as StripeRefund } from '@tidegate/stripe-gateway/intent';
import { hasOtherDetails, observeDispute, type SeenDispute } from '../payment/dispute.decide.js';
import { follow } from '../payment/intent.decide.js';
import { type PaymentEvent } from '../payment/payment.events.js';
import { type Payment } from '../payment/payment.state.js';
import { knownRefund, observeRefund, overdraws } from '../payment/refund.decide.js';

/** `refresh`: ask Stripe how things stand. `early`: the payment's own intent is not recorded yet, so this may be it; look again in a moment. */
export type Meaning = { kind: 'early' } | { kind: 'news'; events: PaymentEvent[]; refresh: boolean };

const OPEN = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing'];

/** Kinds of object that tell something about a payment; all others are ignored. */
export const isAboutPayments = (event: NormalizedStripeEvent): boolean =>
  ['payment_intent', 'charge', 'refund', 'dispute'].includes(event.object.object) && event.object.payment_intent !== null;

/** What one Stripe event adds to a payment. Order and repetition do not matter: states only move forward, and what comes and goes is asked for. */
export function decideNews(payment: Payment, event: NormalizedStripeEvent, foreignRefundId: string): Meaning {
  if (isAbout(event, 'payment_intent')) return intentNews(payment, event);
  if (isAbout(event, 'charge'))
    return { kind: 'news', events: [], refresh: event.hint || hasUnknownRefund(payment, event) || isExpiry(payment, event) };
  if (isAbout(event, 'refund')) return refundNews(payment, event, foreignRefundId);
  if (isAbout(event, 'dispute')) return disputeNews(payment, event);
  return { kind: 'news', events: [], refresh: false };
}

function intentNews(payment: Payment, event: StripeEventAbout<'payment_intent'>): Meaning {
  if (payment.intent_id === null && payment.pending) return { kind: 'early' };
  const intent = intentOf(event);
  if (event.object.id !== payment.intent_id) {
    // Nothing of ours stands behind it: the payment ended before an intent was recorded, or it has another one.
    const known = payment.orphans.includes(intent.id) || intent.status === 'canceled';
    return { kind: 'news', events: known ? [] : [{ type: 'OrphanIntentFound', data: { intent_id: intent.id } }], refresh: false };
  }
  if (event.hint) return { kind: 'news', events: [], refresh: true };
  const events = follow(payment, intent, 'hint');
  return { kind: 'news', events, refresh: events.length > 0 ? payment.pending?.unknown === true : differs(payment, event) };
}

/** An open status that is not the one we have, or another amount that is held; while a call of ours is out, its answer will tell. */
function differs(payment: Payment, event: StripeEventAbout<'payment_intent'>): boolean {
  if (payment.pending && !payment.pending.unknown) return false;
  const status = event.object.status ?? '';
  if (status === 'requires_capture' && payment.lifecycle.status === 'authorized')
    return event.object.amount_capturable !== payment.lifecycle.amount_capturable;
  if (!OPEN.includes(status) || event.type === 'payment_intent.created') return false;
  const ours = payment.lifecycle.status;
  if (ours !== 'requires_payment_method' && ours !== 'requires_action' && ours !== 'processing' && ours !== 'opening') return false;
  if (event.type === 'payment_intent.payment_failed')
    return !(ours === 'requires_payment_method' && payment.lifecycle.failure?.code === event.object.failure?.code);
  return status !== ours;
}

function refundNews(payment: Payment, event: StripeEventAbout<'refund'>, foreignRefundId: string): Meaning {
  const seen = refundOf(event);
  const known = knownRefund(payment, seen);
  if (event.hint || payment.lifecycle.status !== 'succeeded') return { kind: 'news', events: [], refresh: true };
  const events = observeRefund(payment, seen, foreignRefundId);
  // Another one has failed, and its news is still on the way.
  if (overdraws(payment, events)) return { kind: 'news', events: [], refresh: true };
  return { kind: 'news', events, refresh: known?.status === 'unknown' };
}

/** Like a refund's: before the payment is known to have succeeded, and when the snapshot is only a hint, Stripe is asked. */
function disputeNews(payment: Payment, event: StripeEventAbout<'dispute'>): Meaning {
  if (event.hint || payment.lifecycle.status !== 'succeeded') return { kind: 'news', events: [], refresh: true };
  const seen = disputeOf(event);
  return { kind: 'news', events: observeDispute(payment, seen), refresh: hasOtherDetails(payment, seen) };
}

/** The bank no longer holds the money; Stripe cancels the intent, and says so in an event of its own that may be lost. */
const isExpiry = (payment: Payment, event: NormalizedStripeEvent): boolean =>
  event.type === 'charge.expired' && payment.lifecycle.status === 'authorized';

/** More was given back than all refunds that we know of or have asked for. What a smaller capture released stands on the charge as refunded, too. */
function hasUnknownRefund(payment: Payment, { object }: StripeEventAbout<'charge'>): boolean {
  const released = object.amount_captured === null ? 0 : Math.max(0, (object.amount ?? 0) - object.amount_captured);
  const reserved = payment.refunds.filter((refund) => refund.status !== 'failed').reduce((sum, refund) => sum + refund.amount, 0);
  return (object.amount_refunded ?? 0) - released > reserved;
}

/** As much of an intent as its event tells; enough to move forward by. */
function intentOf({ type, created, object, livemode }: StripeEventAbout<'payment_intent'>): Intent {
  return {
    object: 'payment_intent',
    id: object.id,
    status: (object.status ?? 'processing') as IntentStatus,
    amount: object.amount ?? 0,
    amount_received: object.amount_captured ?? object.amount ?? 0,
    amount_capturable: object.amount_capturable ?? 0,
    currency: object.currency ?? '',
    capture_method: object.capture_method === 'manual' ? 'manual' : 'automatic',
    client_secret: null,
    next_action: null,
    latest_charge: object.charge,
    card: object.card,
    disputed: null,
    paid_at: type === 'payment_intent.succeeded' ? created : null,
    last_payment_error: null,
    cancellation_reason: object.cancellation_reason,
    customer: object.customer,
    metadata: object.metadata,
    created: object.created ?? 0,
    livemode,
  };
}

function refundOf({ object }: StripeEventAbout<'refund'>): StripeRefund {
  return {
    object: 'refund',
    id: object.id,
    payment_intent: object.payment_intent,
    charge: object.charge,
    status: (object.status ?? 'pending') as StripeRefund['status'],
    amount: object.amount ?? 0,
    currency: object.currency ?? '',
    reason: null,
    failure_reason: object.failure?.code ?? null,
    balance_transaction: object.balance_transaction ?? null,
    metadata: object.metadata,
    created: object.created ?? 0,
  };
}

function disputeOf({ object }: StripeEventAbout<'dispute'>): SeenDispute {
  const { dispute } = object;
  const funds = dispute.movements > 0 ? { ...dispute, currency: dispute.currency ?? object.currency ?? '' } : null;
  return {
    id: object.id,
    status: object.status ?? '',
    amount: object.amount ?? 0,
    currency: object.currency ?? '',
    reason: dispute.reason,
    charge: object.charge,
    due_by: dispute.due_by,
    created: object.created ?? 0,
    movements: dispute.movements,
    funds: funds && { currency: funds.currency, withdrawn: funds.withdrawn, reinstated: funds.reinstated, fee: funds.fee },
  };
}
