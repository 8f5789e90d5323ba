import type { WebhookEventView } from '@tidegate/contracts/responses';
import { type Kysely, sql } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { matching, tenantColumn } from './event-filter.js';
import type { ListQuery, PageCursor } from './stripe-event.query.decide.js';

const columns = [
  'stripe_event_id',
  'event_type',
  'object_id',
  'created',
  'processing_outcome',
  'processing_error',
  'received_at',
  tenantColumn.as('tenant'),
] as const;

interface Row {
  stripe_event_id: string;
  event_type: string;
  object_id: string | null;
  created: Date;
  processing_outcome: string;
  processing_error: string | null;
  received_at: Date;
  tenant: string;
}

/** One page of a tenant's events, newest first; `next` is where the following page begins. Payloads never leave this service. */
export async function listEvents(
  db: Kysely<WebhooksTables>,
  tenant: string,
  query: ListQuery,
): Promise<{ data: WebhookEventView[]; next: PageCursor | null }> {
  const rows = await eventsPage(db, query).where(tenantColumn, '=', tenant).execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return { data: page.map(view), next: rows.length > page.length && last ? { created: last.created, id: last.stripe_event_id } : null };
}

/** The rows of a page and one more, if there is one. */
export function eventsPage(db: Kysely<WebhooksTables>, { cursor, limit, ...filter }: ListQuery) {
  const select = db.selectFrom('stripe_events').select(columns).where(matching(filter));
  const after = cursor ? select.where(sql<boolean>`(created, stripe_event_id) < (${cursor.created}, ${cursor.id})`) : select;
  return after
    .orderBy('created', 'desc')
    .orderBy('stripe_event_id', 'desc')
    .limit(limit + 1);
}

export async function getEvent(db: Kysely<WebhooksTables>, tenant: string, id: string): Promise<WebhookEventView | null> {
  const row = await db
    .selectFrom('stripe_events')
    .select(columns)
    .where('stripe_event_id', '=', id)
    .where(tenantColumn, '=', tenant)
    .executeTakeFirst();
  return row ? view(row) : null;
}

const view = (row: Row): WebhookEventView => ({
  id: row.stripe_event_id,
  object: 'webhook_event',
  type: row.event_type,
  object_id: row.object_id,
  created: Math.floor(row.created.getTime() / 1000),
  tenant: row.tenant,
  status: row.processing_outcome,
  error: row.processing_error,
  received_at: row.received_at.toISOString(),
});
