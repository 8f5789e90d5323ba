import { CompiledQuery, type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { StoredStripeEvent } from '../normalize/normalized-event.decide.js';
import type { StripeEventsTable, WebhooksTables } from '../tables.js';
import { keptReason } from './kept-reason.js';

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
> & { is_hint: boolean };

/** What identifies a row: Stripe's id, and its time because the table is partitioned by it. */
export interface EventKey {
  stripe_event_id: string;
  created: Date;
}

/** A row that waits to be published. */
export type Unpublished = StoredStripeEvent & Pick<StripeEventsTable, 'account' | 'object_id' | 'traceparent'> & { attempts: number };

/** Text form of a key. */
export const keyOf = (key: EventKey): string => `${key.created.getTime()}/${key.stripe_event_id}`;

const COLUMNS = [
  'stripe_event_id',
  'created',
  'event_type',
  'object_id',
  'tenant_hint',
  'account',
  'livemode',
  'api_version',
  'source',
  'traceparent',
  'is_hint',
] as const;
/** As one text, since it is asked thousands of times a second. `$1` to `$11` are COLUMNS, then where each payload ends, its length, and all payloads together. */
const INSERT_EVENTS = `
  INSERT INTO stripe_events (stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint, payload)
  SELECT stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint,
    substring($14::bytea FROM ends - length + 1 FOR length)
  FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::boolean[], $12::integer[], $13::integer[])
    AS rows (stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint, ends, length)
  ON CONFLICT (created, stripe_event_id) DO NOTHING
  RETURNING created, stripe_event_id`;

/**
 * Inserts what is not there yet and answers the keys of the new rows. Rows that another transaction is inserting are waited for. The payloads go
 * over as one value, each cut out of it by its length: an array of bytea would be written and read as hexadecimal text.
 */
export async function insertEvents(db: Database, rows: readonly NewStripeEvent[]): Promise<Set<string>> {
  const column = <K extends keyof NewStripeEvent>(name: K) => rows.map((row) => row[name]);
  let end = 0;
  const inserted = await db.executeQuery<EventKey>(
    CompiledQuery.raw(INSERT_EVENTS, [
      ...COLUMNS.map(column),
      rows.map(({ payload }) => (end += payload.length)),
      rows.map(({ payload }) => payload.length),
      Buffer.concat(column('payload')),
    ]),
  );
  return new Set(inserted.rows.map(keyOf));
}

const unpublished = sql.raw(
  "stripe_event_id, created, event_type, object_id, account, livemode, api_version, payload, traceparent, attempts, message_id, is_hint OR source <> 'webhook' AS hint",
);
const due = (queue: 'delivered' | 'hint' | 'parked', now: Date) =>
  sql`published_at IS NULL AND queue = ${queue} AND (retry_at IS NULL OR retry_at <= ${now})`;

/**
 * Whether a delivery waits; asked before a transaction is begun for nothing. In the order of the queue's index: while hints wait, the planner takes many of the published
 * rows for deliveries that do, and would read the whole table for the first of them.
 */
export async function anyDelivery(db: Database, now: Date): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM stripe_events WHERE ${due('delivered', now)} ORDER BY received_at, created, stripe_event_id LIMIT 1`.execute(db);
  return rows.length > 0;
}

/** Locks the oldest deliveries that wait and that no other replica has in hand. */
export async function claimDeliveries(tx: Tx, limit: number, now: Date): Promise<Unpublished[]> {
  const { rows } = await sql<Unpublished>`
    SELECT ${unpublished} FROM stripe_events
    WHERE ${due('delivered', now)}
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows;
}

/** The same, without locks, for those that try them one by one. */
export async function dueDeliveries(db: Database, limit: number, now: Date): Promise<(EventKey & { attempts: number })[]> {
  const { rows } = await sql<EventKey & { attempts: number }>`
    SELECT stripe_event_id, created, attempts FROM stripe_events
    WHERE ${due('delivered', now)}
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit}`.execute(db);
  return rows;
}

/** Others about the same objects for each hint, on average: an object may have any number. */
const OTHERS = 9;

/**
 * The oldest hints that wait, with others about the same objects, so that these share one request; those that are replayed, which are older than all that comes now, behind the others.
 * Nothing is locked: their objects are retrieved first. Whether one is replayed is asked as an expression, so that the planner keeps to the queue's index: the one of replays has all
 * that were ever replayed.
 */
export async function dueHints(db: Database, limit: number, now: Date): Promise<Unpublished[]> {
  const oldest = (replayed: boolean, atMost: RawBuilder<unknown>) => sql`
    SELECT object_id FROM stripe_events
    WHERE ${due('hint', now)} AND (replay_job IS NOT NULL) = ${replayed}
    ORDER BY received_at, created, stripe_event_id LIMIT ${atMost}`;
  const { rows } = await sql<Unpublished>`
    WITH fresh AS MATERIALIZED (${oldest(false, sql`${limit}`)}),
    replayed AS MATERIALIZED (${oldest(true, sql`(SELECT ${limit}::bigint - count(*) FROM fresh)`)})
    SELECT ${unpublished} FROM stripe_events
    WHERE ${due('hint', now)} AND object_id IN (SELECT object_id FROM fresh UNION ALL SELECT object_id FROM replayed)
    ORDER BY received_at, created, stripe_event_id LIMIT ${limit * (1 + OTHERS)}`.execute(db);
  return rows;
}

/** As of when an object was shown that was published last; null when none was. */
export async function lastShownAt(db: Database, objectId: string | null): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    SELECT max(published_at) AS at FROM stripe_events WHERE object_id = ${objectId} AND (is_hint OR source <> 'webhook')`.execute(db);
  return rows[0]?.at ?? null;
}

export async function hintsWaiting(db: Database): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`SELECT count(*)::int AS count FROM stripe_events WHERE published_at IS NULL AND queue = 'hint'`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Locks those of these rows that are still unpublished and in nobody's hand. */
export async function claimKeys(tx: Tx, keys: readonly EventKey[]): Promise<Unpublished[]> {
  const { rows } = await sql<Unpublished>`
    SELECT ${unpublished} FROM stripe_events
    WHERE published_at IS NULL AND (created, stripe_event_id) IN (SELECT * FROM ${keyList(keys)})
    ORDER BY received_at, created, stripe_event_id FOR UPDATE SKIP LOCKED`.execute(tx);
  return rows;
}

/**
 * Each was published for this tenant, which is what its `tenant_hint` says from now on, and as this message; of a message that went out before, the first one is
 * kept. `customer`: whom it is about or names. `at`: of hints, as of when their object was shown.
 */
export async function markPublished(
  tx: Tx,
  events: readonly (EventKey & { tenant: string; customer: string | null; messageId: string })[],
  at: Date,
): Promise<void> {
  await sql`
    UPDATE stripe_events e SET published_at = ${at}, tenant_hint = p.tenant, processing_outcome = 'published', processing_error = NULL,
      retry_at = NULL, waits_for = NULL, attempts = attempts + 1, customer = p.customer,
      message_id = coalesce(e.message_id, p.message_id)
    FROM unnest(${events.map((one) => one.created)}::timestamptz[], ${events.map((one) => one.stripe_event_id)}::text[],
      ${events.map((one) => one.tenant)}::text[], ${events.map((one) => one.customer)}::text[],
      ${events.map((one) => one.messageId)}::uuid[]) AS p(created, stripe_event_id, tenant, customer, message_id)
    WHERE e.created = p.created AND e.stripe_event_id = p.stripe_event_id`.execute(tx);
}

/** These wait until it is known whose this customer is. */
export async function park(tx: Tx, waiting: readonly { row: EventKey; customer: string }[]): Promise<void> {
  if (waiting.length === 0) return;
  await sql`
    UPDATE stripe_events e SET waits_for = p.customer, processing_outcome = 'parked', processing_error = 'waits for customer ' || p.customer, retry_at = NULL
    FROM unnest(${waiting.map(({ row }) => row.created)}::timestamptz[], ${waiting.map(({ row }) => row.stripe_event_id)}::text[],
      ${waiting.map(({ customer }) => customer)}::text[]) AS p(created, stripe_event_id, customer)
    WHERE e.created = p.created AND e.stripe_event_id = p.stripe_event_id`.execute(tx);
}

/** These could not be published now. `outcome` stays `received` when only Stripe could not be asked. */
export async function postpone(
  db: Database,
  keys: readonly EventKey[],
  retry: { at: Date; outcome: 'received' | 'failed'; error: string },
): Promise<void> {
  await sql`
    UPDATE stripe_events SET retry_at = ${retry.at}, processing_outcome = ${retry.outcome}, processing_error = ${keptReason(retry.error)}, attempts = attempts + 1
    WHERE published_at IS NULL AND (created, stripe_event_id) IN (SELECT * FROM ${keyList(keys)})`.execute(db);
}

/** Of each queue so many are looked at: what the sweep finds, it is told newest first, page by page. */
const LONGEST_RECEIVED = 1_000;

/**
 * Seconds between Stripe's time of the oldest event that was never published and now, among those that were received first; 0 when none waits. A replay of an old event is no delay.
 */
export async function oldestUnpublishedSeconds(db: Database, now: Date): Promise<number> {
  const oldest = (queue: string) =>
    sql`(SELECT created FROM stripe_events WHERE published_at IS NULL AND queue = ${queue} AND message_id IS NULL ORDER BY received_at, created, stripe_event_id LIMIT ${LONGEST_RECEIVED})`;
  const { rows } = await sql<{ seconds: number }>`
    SELECT coalesce(greatest(0, extract(epoch FROM ${now}::timestamptz - min(created))), 0)::float8 AS seconds
    FROM (${oldest('delivered')} UNION ALL ${oldest('hint')} UNION ALL ${oldest('parked')}) AS queues`.execute(db);
  return rows[0]?.seconds ?? 0;
}

export const keyList = (keys: readonly EventKey[]) =>
  sql`unnest(${keys.map((key) => key.created)}::timestamptz[], ${keys.map((key) => key.stripe_event_id)}::text[])`;
