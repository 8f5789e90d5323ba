import type { SubscriptionObject } from '@tidegate/contracts/events/stripe-event/subscription';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, record, recordsOf, text } from './read.decide.js';

/** The period stands on the items: https://docs.stripe.com/changelog/basil/2025-03-31/deprecate-subscription-current-period-start-and-end */
export function normalizedSubscription(subscription: Json, fallbackId: string): SubscriptionObject {
  const items = recordsOf(subscription['items']);
  const times = (name: string) => items.flatMap((item) => integer(item[name]) ?? []);
  return {
    object: 'subscription',
    ...commonOf(subscription, fallbackId),
    currency: text(subscription['currency']),
    items: items.map((item) => ({ id: text(item['id']) ?? '', price: idOf(item['price']), quantity: integer(item['quantity']) })),
    current_period_start: least(times('current_period_start')),
    current_period_end: greatest(times('current_period_end')),
    collection_method: text(subscription['collection_method']),
    latest_invoice: idOf(subscription['latest_invoice']),
    trial_end: integer(subscription['trial_end']),
    cancel_at: integer(subscription['cancel_at']),
    cancel_at_period_end: subscription['cancel_at_period_end'] === true,
    canceled_at: integer(subscription['canceled_at']),
    cancellation_reason: text(record(subscription['cancellation_details'])?.['reason']),
    ended_at: integer(subscription['ended_at']),
    paused: record(subscription['pause_collection']) !== null,
  };
}

const least = (times: number[]): number | null => (times.length > 0 ? Math.min(...times) : null);
const greatest = (times: number[]): number | null => (times.length > 0 ? Math.max(...times) : null);
