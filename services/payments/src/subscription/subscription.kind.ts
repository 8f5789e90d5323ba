import { type SubscriptionFact, subscriptionSubject } from '@tidegate/contracts/events/subscription';
import { type Insertable } from 'kysely';
import { type Observed } from '../observed/observed.decide.js';
import { type ObservedKind } from '../observed/observed.store.js';
import { type SubscriptionsTable } from '../tables.js';
import { type SeenSubscription, subscriptionRules, subscriptionSnapshot } from './subscription.seen.js';

/** Subscriptions are known by looking at them. */
export const subscriptionKind: ObservedKind<SeenSubscription, SubscriptionFact> = {
  name: 'subscription',
  event: 'SubscriptionObserved',
  rules: subscriptionRules,
  subjectOf: subscriptionSubject,
  snapshotOf: subscriptionSnapshot,
  async show(tx, observed, version) {
    const row = subscriptionRow(observed, version);
    await tx
      .insertInto('subscriptions')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  },
};

/** The projection of one subscription. */
export function subscriptionRow(observed: Observed<SeenSubscription>, version: number): Insertable<SubscriptionsTable> {
  const { subscription_id: id, items, ...shown } = subscriptionSnapshot(observed);
  const { tenant, status_since, seen_at } = observed;
  return { ...shown, id, items: JSON.stringify(items), tenant, version, status_since, seen_at };
}
