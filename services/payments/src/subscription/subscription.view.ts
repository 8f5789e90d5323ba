import { type Dunning, type SubscriptionView } from '@tidegate/contracts/subscription';
import { type Kysely, type Selectable, sql } from 'kysely';
import { type PaymentsTables, type SubscriptionsTable } from '../tables.js';

type Row = Selectable<SubscriptionsTable>;

/** The subscription as REST answers it. */
export const subscriptionView = (row: Row, dunning: Dunning | null): SubscriptionView => ({
  id: row.id,
  object: 'subscription',
  status: row.status,
  customer: row.customer,
  currency: row.currency,
  items: row.items,
  current_period_start: timeOf(row.current_period_start),
  current_period_end: timeOf(row.current_period_end),
  trial_end: timeOf(row.trial_end),
  cancel_at: timeOf(row.cancel_at),
  cancel_at_period_end: row.cancel_at_period_end,
  canceled_at: timeOf(row.canceled_at),
  cancellation_reason: row.cancellation_reason,
  ended_at: timeOf(row.ended_at),
  collection_method: row.collection_method,
  latest_invoice: row.latest_invoice,
  collection_paused: row.collection_paused,
  dunning,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});

type DunningRow = Omit<Dunning, 'next_payment_attempt'> & { subscription: string; next_payment_attempt: Date | null };

/** How the newest invoice of each of these subscriptions stands that was not paid as planned, by subscription. */
export async function dunningsOf(db: Kysely<PaymentsTables>, subscriptions: readonly string[]): Promise<Map<string, Dunning>> {
  if (subscriptions.length === 0) return new Map();
  const { rows } = await sql<DunningRow>`
    SELECT DISTINCT ON (subscription) subscription, dunning AS state, id AS invoice, amount_remaining, currency, attempt_count, next_payment_attempt, failure
    FROM invoices WHERE subscription = ANY(${subscriptions}::text[]) AND dunning IS NOT NULL
    ORDER BY subscription, created_at DESC, id DESC`.execute(db);
  return new Map(
    rows.map(({ subscription, ...row }) => [subscription, { ...row, next_payment_attempt: timeOf(row.next_payment_attempt) }] as const),
  );
}

export const timeOf = (at: Date | null): string | null => at?.toISOString() ?? null;
