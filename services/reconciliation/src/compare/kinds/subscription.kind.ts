import type { Subscription } from '@tidegate/stripe-gateway/billing';
import { sql } from 'kysely';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';
import { compareAbsentSubscription, compareSubscription, type RecordedSubscription } from '../subscription.decide.js';

const COLUMNS = sql.raw(
  'p.subscription_id, p.tenant, p.status, p.items, p.current_period_end, p.cancel_at_period_end, p.updated_at, p.created_at AS made_at',
);

/** Subscriptions, in every status. */
export const subscriptionKind: ObjectKind<Subscription, RecordedSubscription> = {
  name: 'subscription',
  remote: {
    list: (stripe, query) => stripe.listSubscriptions(query),
    retrieve: (stripe, id) => stripe.retrieveSubscription(id),
    recordedFor: subscriptionsFor,
    compare: compareSubscription,
    isOf: (ours, { id }) => ours.subscription_id === id,
    countsForeign: true,
  },
  local: {
    unseen: unseenSubscriptions,
    byId: subscriptionById,
    compareAbsent: compareAbsentSubscription,
    idOf: (subscription) => subscription.subscription_id,
    stripeIdOf: (subscription) => subscription.subscription_id,
  },
};

async function subscriptionsFor(db: CompareDb, remotes: readonly Subscription[]): Promise<Map<string, RecordedSubscription>> {
  const { rows } = await sql<RecordedSubscription>`
    SELECT ${COLUMNS} FROM recorded_subscriptions p WHERE subscription_id = ANY(${remotes.map(({ id }) => id)}::text[])`.execute(db);
  const byId = new Map(rows.map((row) => [row.subscription_id, row]));
  return matched(remotes, ({ id }) => byId.get(id));
}

async function subscriptionById(db: CompareDb, id: string): Promise<RecordedSubscription | null> {
  const { rows } = await sql<RecordedSubscription>`SELECT ${COLUMNS} FROM recorded_subscriptions p WHERE subscription_id = ${id}`.execute(
    db,
  );
  return rows[0] ?? null;
}

async function unseenSubscriptions(db: CompareDb, query: UnseenQuery): Promise<RecordedSubscription[]> {
  const seen = ofPeriod(query, { object: 'subscription', id: 'subscription_id', at: 'created_at' });
  const { rows } = await sql<RecordedSubscription>`
    SELECT ${COLUMNS} FROM recorded_subscriptions p WHERE ${seen} ORDER BY subscription_id LIMIT ${query.limit}`.execute(db);
  return rows;
}
