import { type Kysely, sql } from 'kysely';
import type { WebhooksTables } from '../tables.js';

type Database = Kysely<WebhooksTables>;

/** A month of events in a table of its own. */
export interface Month {
  /** `2026-08`. */
  name: string;
  endsAt: Date;
  /** Some of its events were stored and never published. */
  holdsUnpublished: boolean;
}

/** Oldest first. */
export async function months(db: Database): Promise<Month[]> {
  const { rows } = await sql<Month>`
    SELECT to_char(month, 'YYYY-MM') AS name, ends_at AS "endsAt", holds_unpublished AS "holdsUnpublished" FROM stripe_events_partitions()`.execute(
    db,
  );
  return rows;
}

/** False when the month is gone or has to stay. Throws lock_not_available (55P03) when a long query is in the way. */
export async function dropMonth(db: Database, { name }: Month): Promise<boolean> {
  const { rows } = await sql<{ dropped: boolean }>`SELECT drop_stripe_events_partition(${`${name}-01`}::date) AS dropped`.execute(db);
  return rows[0]?.dropped === true;
}

/** Deletes published events from before `before` that have no month of their own, with their outcomes, at most `limit`; how many. */
export async function deleteStrays(db: Database, before: Date, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    WITH gone AS (
      DELETE FROM stripe_events_default WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM stripe_events_default WHERE created < ${before} AND published_at IS NOT NULL LIMIT ${limit}))
      RETURNING created, stripe_event_id
    ), told AS (
      DELETE FROM stripe_event_outcomes AS o USING gone WHERE o.created = gone.created AND o.stripe_event_id = gone.stripe_event_id
    )
    SELECT count(*)::int AS count FROM gone`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Deletes notes about events that are not kept any more, at most `limit`; how many. */
export async function deleteNotes(db: Database, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    DELETE FROM nameless_events WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM nameless_events WHERE created < (SELECT created FROM stripe_events ORDER BY created LIMIT 1)
      ORDER BY created LIMIT ${limit}))`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

/** Seconds between the oldest event that is kept and now; 0 when there is none. */
export async function oldestSeconds(db: Database, now: Date): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT greatest(0, extract(epoch FROM ${now}::timestamptz - created))::float8 AS seconds FROM stripe_events ORDER BY created LIMIT 1`.execute(
    db,
  );
  return rows[0]?.seconds ?? 0;
}
