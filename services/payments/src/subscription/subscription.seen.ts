import { type SubscriptionFact, SUBSCRIPTION_FACTS } from '@tidegate/contracts/events/subscription';
import { type SubscriptionObject } from '@tidegate/contracts/events/stripe-event/subscription';
import { type SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { type Observed, type ObservedRules } from '../observed/observed.decide.js';

/** A subscription as Stripe shows it, without what others write on it. Times in epoch seconds. */
export type SeenSubscription = Omit<SubscriptionObject, 'object' | 'payment_intent' | 'metadata' | 'status'> & { status: string };

/** From an event, or from an answer of Stripe's: both have these names. */
export const seenSubscription = (shown: Omit<SubscriptionObject, 'object' | 'payment_intent' | 'metadata'>): SeenSubscription => ({
  id: shown.id,
  status: shown.status ?? 'incomplete',
  created: shown.created,
  customer: shown.customer,
  currency: shown.currency,
  items: shown.items.map(({ id, price, quantity }) => ({ id, price, quantity })),
  current_period_start: shown.current_period_start,
  current_period_end: shown.current_period_end,
  collection_method: shown.collection_method,
  latest_invoice: shown.latest_invoice,
  trial_end: shown.trial_end,
  cancel_at: shown.cancel_at,
  cancel_at_period_end: shown.cancel_at_period_end,
  canceled_at: shown.canceled_at,
  cancellation_reason: shown.cancellation_reason,
  ended_at: shown.ended_at,
  paused: shown.paused,
});

/** Whether it stays so for ever. */
export const isOver = (status: string): boolean => status === 'canceled' || status === 'incomplete_expired';

/** One fact per change, and the status beside `created`: who listens for a status misses none that was seen. */
export const subscriptionRules: ObservedRules<SeenSubscription, SubscriptionFact> = {
  statusOf: ({ status }) => status,
  isFinal: isOver,
  factsOf(before, after) {
    const told = before?.status === after.status ? [] : [factOfStatus(after.status)].flatMap((fact) => fact ?? []);
    if (before === null) return ['created', ...told];
    return told.length > 0 ? told : ['updated'];
  },
};

const factOfStatus = (status: string): SubscriptionFact | null =>
  status !== 'created' && status !== 'updated' && Object.hasOwn(SUBSCRIPTION_FACTS, status) ? (status as SubscriptionFact) : null;

/** The only road from what was seen to the contract. */
export function subscriptionSnapshot({ object, livemode, changed_at }: Observed<SeenSubscription>): SubscriptionSnapshot {
  return {
    subscription_id: object.id,
    status: object.status,
    customer: object.customer,
    currency: object.currency,
    items: object.items,
    current_period_start: timeOf(object.current_period_start),
    current_period_end: timeOf(object.current_period_end),
    trial_end: timeOf(object.trial_end),
    cancel_at: timeOf(object.cancel_at),
    cancel_at_period_end: object.cancel_at_period_end,
    canceled_at: timeOf(object.canceled_at),
    cancellation_reason: object.cancellation_reason,
    ended_at: timeOf(object.ended_at),
    collection_method: object.collection_method,
    latest_invoice: object.latest_invoice,
    collection_paused: object.paused,
    livemode,
    created_at: timeOf(object.created) ?? changed_at,
    updated_at: changed_at,
  };
}

/** Epoch seconds in RFC 3339. */
export const timeOf = (seconds: number | null): string | null => (seconds === null ? null : new Date(seconds * 1000).toISOString());
