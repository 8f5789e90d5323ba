import type { OperatorEventDetail, OperatorEventView } from '@tidegate/contracts/ops/webhook-events';
import type { WebhookEventView } from '@tidegate/contracts/responses';
import { fitting } from '@tidegate/contracts/rpc/http-reply';
import { type Kysely, sql } from 'kysely';
import { normalizedEvent } from '../normalize/normalized-event.decide.js';
import type { WebhooksTables } from '../tables.js';
import { matching, tenantColumn } from './event-filter.js';
import { outcomesOf } from './outcome.store.js';
import type { ListQuery, PageCursor } from './stripe-event.query.decide.js';

type Database = Kysely<WebhooksTables>;

/** Everything but the payload, which never leaves this service. */
const columns = [
  'stripe_event_id',
  'event_type',
  'object_id',
  'created',
  'account',
  'livemode',
  'api_version',
  'source',
  'received_at',
  'published_at',
  'retry_at',
  'processing_outcome',
  'processing_error',
  'attempts',
  'processed_at',
  'replay_job',
  tenantColumn.as('tenant'),
] as const;

/** One page of a tenant's events, newest first; `next` is where the following page begins. */
export async function listEvents(
  db: Database,
  tenant: string,
  query: ListQuery,
): Promise<{ data: WebhookEventView[]; next: PageCursor | null }> {
  return pageOf(await eventsPage(db, query, tenant).execute(), query.limit, tenantView);
}

/** The same over all tenants, with how each event came and went. */
export async function listOperatorEvents(db: Database, query: ListQuery): Promise<{ data: OperatorEventView[]; next: PageCursor | null }> {
  return pageOf(await eventsPage(db, query).execute(), query.limit, operatorView);
}

export async function getEvent(db: Database, tenant: string, id: string): Promise<WebhookEventView | null> {
  const row = await db
    .selectFrom('stripe_events')
    .select(columns)
    .where(matching({ ids: [id], only: tenant }))
    .executeTakeFirst();
  return row ? tenantView(row) : null;
}

/** One event with what each consumer made of it, and our words for what Stripe sent. */
export async function getOperatorEvent(db: Database, id: string): Promise<OperatorEventDetail | null> {
  const row = await db
    .selectFrom('stripe_events')
    .select([...columns, 'payload', 'message_id', 'is_hint'])
    .where('stripe_event_id', '=', id)
    .executeTakeFirst();
  if (!row) return null;
  const outcomes = await outcomesOf(db, row);
  return {
    ...operatorView(row),
    outcomes: outcomes.map(({ consumer, outcome, reason, reported_at }) => ({ consumer, outcome, reason, at: reported_at.toISOString() })),
    event: readable(() => normalizedEvent({ ...row, hint: row.is_hint || row.source !== 'webhook' }, null)),
  };
}

/** The rows of a page and one more, if there is one; `only` of the tenant that asks. */
export function eventsPage(db: Database, { cursor, limit, ...filter }: ListQuery, only?: string) {
  const select = db
    .selectFrom('stripe_events')
    .select(columns)
    .where(matching({ ...filter, only }));
  const after = cursor ? select.where(sql<boolean>`(created, stripe_event_id) < (${cursor.created}, ${cursor.id})`) : select;
  return after
    .orderBy('created', 'desc')
    .orderBy('stripe_event_id', 'desc')
    .limit(limit + 1);
}

type Row = Awaited<ReturnType<ReturnType<typeof eventsPage>['execute']>>[number];

/** What does not fit into a message comes first on the next page. */
function pageOf<View extends object>(found: Row[], limit: number, shown: (row: Row) => View): { data: View[]; next: PageCursor | null } {
  const data = fitting(found.slice(0, limit).map(shown));
  const last = found.length > data.length ? found[data.length - 1] : undefined;
  return { data, next: last ? { created: last.created, id: last.stripe_event_id } : null };
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

/** Of what failed, databases and brokers say where they are and what they hold, and a schema what it was given: that is nothing for a tenant. */
const tenantView = (row: Row): WebhookEventView =>
  row.processing_outcome === 'failed'
    ? { ...view(row), error: 'It could not be handled; an operator sees why, and can replay it.' }
    : view(row);

const operatorView = (row: Row): OperatorEventView => ({
  ...view(row),
  tenant: row.tenant,
  source: row.source,
  account: row.account,
  livemode: row.livemode,
  api_version: row.api_version,
  attempts: row.attempts,
  published_at: row.published_at?.toISOString() ?? null,
  processed_at: row.processed_at?.toISOString() ?? null,
  retry_at: row.retry_at?.toISOString() ?? null,
  replay: row.replay_job,
});

/** Null for a payload that cannot be read: such an event is `failed`, and its reason says so. */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
