import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { StoredStripeEvent } from '../normalize/normalized-event.decide.js';
import type { StripeEventsTable, WebhooksTables } from '../tables.js';

type Tx = Transaction<WebhooksTables>;
type Database = Kysely<WebhooksTables>;

export type NewStripeEvent = Pick<
  StripeEventsTable,
  | 'stripe_event_id'
  | 'created'
  | 'event_type'
  | 'object_id'
  | 'tenant_hint'
  | 'account'
  | 'livemode'
  | 'api_version'
  | 'payload'
  | 'source'
  | 'traceparent'
>;

/** What identifies a row: Stripe's id, and its time because the table is partitioned by it. */
export interface EventKey {
  stripe_event_id: string;
  created: Date;
}

/** A row that waits to be published. */
export type Unpublished = StoredStripeEvent & Pick<StripeEventsTable, 'account' | 'traceparent'> & { attempts: number };

/** Text form of a key; sorts like the primary key within one id length. */
export const keyOf = (key: EventKey): string => `${key.created.toISOString()}/${key.stripe_event_id}`;

/** Inserts what is not there yet and answers the keys of the new rows. Rows that another transaction is inserting are waited for. */
export async function insertEvents(tx: Tx, rows: readonly NewStripeEvent[]): Promise<Set<string>> {
  const column = <K extends keyof NewStripeEvent>(name: K) => rows.map((row) => row[name]);
  const inserted = await sql<EventKey>`
    INSERT INTO stripe_events (stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, payload, source, traceparent)
    SELECT * FROM unnest(
      ${column('stripe_event_id')}::text[], ${column('created')}::timestamptz[], ${column('event_type')}::text[], ${column('object_id')}::text[],
      ${column('tenant_hint')}::text[], ${column('account')}::text[], ${column('livemode')}::boolean[], ${column('api_version')}::text[], ${column('payload')}::bytea[],
      ${column('source')}::text[], ${column('traceparent')}::text[])
    ON CONFLICT (created, stripe_event_id) DO NOTHING
    RETURNING created, stripe_event_id`.execute(tx);
  return new Set(inserted.rows.map(keyOf));
}

/**
 * Whether the event's object has to be retrieved before it is published: it was found by the sweep, carries no object, or shows it in another version than the
 * one that everything here is written for (Stripe renders a delivery in the endpoint's version, a listed event in the account's).
 */
export const isHint = (event: Pick<StripeEventsTable, 'source' | 'api_version'>): boolean =>
  event.source !== 'webhook' || event.api_version !== API_VERSION;

const hint = sql<boolean>`(source <> 'webhook' OR api_version IS DISTINCT FROM ${API_VERSION})`;
const unpublished = sql`stripe_event_id, created, event_type, account, livemode, api_version, payload, traceparent, attempts, ${hint} AS hint`;
const due = (now: Date) => sql`published_at IS NULL AND (retry_at IS NULL OR retry_at <= ${now})`;

/** Whether a delivery waits; asked before a transaction is begun for nothing. */
export async function anyDelivery(db: Database, now: Date): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM stripe_events WHERE ${due(now)} AND NOT ${hint} LIMIT 1`.execute(db);
  return rows.length > 0;
}

/** Locks the oldest deliveries that wait and that no other replica has in hand. */
export async function claimDeliveries(tx: Tx, limit: number, now: Date): Promise<Unpublished[]> {
  const { rows } = await sql<Unpublished>`
    SELECT ${unpublished} FROM stripe_events
    WHERE ${due(now)} AND NOT ${hint}
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows;
}

/** The same, without locks, for those that try them one by one. */
export async function dueDeliveries(db: Database, limit: number, now: Date): Promise<(EventKey & { attempts: number })[]> {
  const { rows } = await sql<EventKey & { attempts: number }>`
    SELECT stripe_event_id, created, attempts FROM stripe_events
    WHERE ${due(now)} AND NOT ${hint}
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** The oldest hints that wait. Nothing is locked: their objects are retrieved first. */
export async function dueHints(db: Database, limit: number, now: Date): Promise<Unpublished[]> {
  const { rows } = await sql<Unpublished>`
    SELECT ${unpublished} FROM stripe_events
    WHERE ${due(now)} AND ${hint}
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Locks those of these rows that are still unpublished and in nobody's hand. */
export async function claimKeys(tx: Tx, keys: readonly EventKey[]): Promise<Unpublished[]> {
  const { rows } = await sql<Unpublished>`
    SELECT ${unpublished} FROM stripe_events
    WHERE published_at IS NULL AND (created, stripe_event_id) IN (SELECT * FROM ${keyList(keys)})
    ORDER BY received_at, created, stripe_event_id FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows;
}

export async function markPublished(tx: Tx, keys: readonly EventKey[], at: Date): Promise<void> {
  await sql`
    UPDATE stripe_events SET published_at = ${at}, processing_outcome = 'published', processing_error = NULL, retry_at = NULL, attempts = attempts + 1
    WHERE (created, stripe_event_id) IN (SELECT * FROM ${keyList(keys)})`.execute(tx);
}

/** These could not be published now. `outcome` stays `received` when only Stripe could not be asked. */
export async function postpone(
  db: Database,
  keys: readonly EventKey[],
  retry: { at: Date; outcome: 'received' | 'failed'; error: string },
): Promise<void> {
  await sql`
    UPDATE stripe_events SET retry_at = ${retry.at}, processing_outcome = ${retry.outcome}, processing_error = ${retry.error}, attempts = attempts + 1
    WHERE published_at IS NULL AND (created, stripe_event_id) IN (SELECT * FROM ${keyList(keys)})`.execute(db);
}

/** Seconds between Stripe's time of the oldest event that is not published yet and now; 0 when none waits. */
export async function oldestUnpublishedSeconds(db: Database, now: Date): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT coalesce(greatest(0, extract(epoch FROM ${now}::timestamptz - created)), 0)::float8 AS seconds FROM stripe_events
    WHERE published_at IS NULL ORDER BY received_at, created, stripe_event_id LIMIT 1`.execute(db);
  return rows[0]?.seconds ?? 0;
}

const keyList = (keys: readonly EventKey[]) =>
  sql`unnest(${keys.map((key) => key.created)}::timestamptz[], ${keys.map((key) => key.stripe_event_id)}::text[])`;
