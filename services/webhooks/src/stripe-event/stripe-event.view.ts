import type { WebhookEventView } from '@tidegate/contracts/responses';
import { type Kysely, sql } from 'kysely';
import { DEFAULT_TENANT } from '../normalize/normalized-event.decide.js';
import type { WebhooksTables } from '../tables.js';
import type { ListQuery, PageCursor } from './stripe-event.query.decide.js';

/** An event whose object names no tenant belongs to the default one. */
const tenantColumn = sql<string>`coalesce(tenant_hint, ${DEFAULT_TENANT})`;
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
  let select = db.selectFrom('stripe_events').select(columns).where(tenantColumn, '=', tenant);
  if (query.tenant !== undefined) select = select.where(tenantColumn, '=', query.tenant);
  if (query.status !== undefined) select = select.where('processing_outcome', '=', query.status);
  if (query.type !== undefined) select = select.where('event_type', '=', query.type);
  if (query.object_id !== undefined) select = select.where('object_id', '=', query.object_id);
  if (query.created_gte !== undefined) select = select.where('created', '>=', query.created_gte);
  if (query.created_lt !== undefined) select = select.where('created', '<', query.created_lt);
  if (query.ids !== undefined) select = select.where('stripe_event_id', 'in', query.ids);
  if (query.cursor) select = select.where(sql<boolean>`(created, stripe_event_id) < (${query.cursor.created}, ${query.cursor.id})`);
  const rows = await select
    .orderBy('created', 'desc')
    .orderBy('stripe_event_id', 'desc')
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return { data: page.map(view), next: rows.length > page.length && last ? { created: last.created, id: last.stripe_event_id } : null };
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
