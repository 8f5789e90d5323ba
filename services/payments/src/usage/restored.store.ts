import { USAGE_AHEAD_MS } from '@tidegate/contracts/usage';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';

/** An hour of a customer's usage. */
export interface HourOfUsage {
  customer: string;
  meter: string;
  hour: Date;
}

const OF_COUNTER = sql`(c.customer, c.meter, c.hour)`;
/** Clocks of those who send usage go ahead: it may say a time up to so much after the restore that has lost its record. */
const AHEAD = sql`interval '1 millisecond' * ${sql.lit(USAGE_AHEAD_MS)}`;

/**
 * Of a counter `c`: the restore after which nobody has asked Stripe for its hour yet; null when there is none. Reports of the lost time may be at Stripe under
 * identifiers that it has forgotten, so nothing of the hour is sent before.
 */
export const DOUBTED_SINCE = sql<Date | null>`(
  SELECT max(v.restored_at) FROM restores v WHERE v.restored_at + ${AHEAD} > c.hour
    AND NOT EXISTS (SELECT FROM usage_reports o WHERE (o.customer, o.meter, o.hour) = ${OF_COUNTER} AND o.restored_at >= v.restored_at))`;

/** Of a counter `c`: whether Stripe was asked for its hour after a restore. */
export const IS_RESTORED = sql<boolean>`EXISTS (SELECT FROM usage_reports o WHERE (o.customer, o.meter, o.hour) = ${OF_COUNTER} AND o.stripe_had IS NOT NULL)`;

const EXPIRED = sql`(r.customer, r.meter, r.hour) = ${OF_COUNTER} AND r.state = 'expired'`;

/**
 * Of a counter `c`: what Stripe had of its hour after the last restore, and all that was certainly used later, less what became too old to be billed since. Usage from
 * before that restore may be part of it, whether its record is lost, came back or was never gone. Null when Stripe was never asked after one, and for a sum also when
 * it had no more than the record of the backup says: then nothing is lost, and what is taken back later counts.
 */
export const hadAndMore = (formula: RawBuilder<unknown>): RawBuilder<string | null> => sql`(
  SELECT o.stripe_had + coalesce((
      SELECT CASE WHEN ${formula} = 'count' THEN count(*) ELSE sum(e.value) END FROM usage_events e
      WHERE (e.customer, e.meter, e.hour) = ${OF_COUNTER} AND e.counted_at IS NOT NULL AND e.at >= o.restored_at + ${AHEAD}), 0)
    - coalesce((SELECT sum(r.value) FROM usage_reports r WHERE ${EXPIRED} AND r.revision > o.revision), 0)
  FROM usage_reports o WHERE (o.customer, o.meter, o.hour) = ${OF_COUNTER} AND o.stripe_had IS NOT NULL AND (${formula} = 'count' OR o.stripe_had >
    coalesce((SELECT sum(e.value) FROM usage_events e WHERE (e.customer, e.meter, e.hour) = ${OF_COUNTER} AND e.counted_at < o.restored_at), 0)
    - coalesce((SELECT sum(r.value) FROM usage_reports r WHERE ${EXPIRED} AND r.revision < o.revision), 0))
  ORDER BY o.revision DESC LIMIT 1)`;

/** Of a counter `c` of a meter that sums: what Stripe is to have. Never less than it had after a restore: what lacks here is a record that was lost. */
export const BILLABLE_SUM = sql`greatest(c.value - c.lost, ${hadAndMore(sql`'sum'`)})`;

/** What a summary would say if nothing was lost: what is certain, with the report that has no answer, or with all that was used. Decimals. */
export async function explanations(db: Kysely<PaymentsTables>, { customer, meter, hour }: HourOfUsage): Promise<string[]> {
  const { rows } = await sql<{ sent: string; with_open: string; used: string }>`
    SELECT trim_scale(c.sent)::text AS sent, trim_scale(c.value - c.lost)::text AS used,
      trim_scale(c.sent + coalesce((SELECT o.value FROM usage_reports o WHERE (o.customer, o.meter, o.hour) = ${OF_COUNTER} AND o.state IN ('open', 'settling')), 0))::text
        AS with_open
    FROM usage_counters c WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour = ${hour}`.execute(db);
  return rows.flatMap(({ sent, with_open, used }) => [sent, with_open, used]);
}

/**
 * Makes what Stripe's summary says (`remote`, a decimal) what Stripe has of an hour. A report without an answer is part of that, or never was. With `restoredAt` it is
 * also the answer to what the restore has lost; the revision then jumps, so that no identifier of the lost time is used for something else.
 */
export async function observe(
  tx: Transaction<PaymentsTables>,
  { customer, meter, hour }: HourOfUsage,
  { remote, now, restoredAt }: { remote: string; now: Date; restoredAt: Date | null },
): Promise<void> {
  const key = sql`customer = ${customer} AND meter = ${meter} AND hour = ${hour}`;
  await sql`UPDATE usage_reports SET state = 'absent', ended_at = ${now} WHERE ${key} AND state IN ('open', 'settling')`.execute(tx);
  await sql`
    WITH c AS (
      SELECT greatest(revision + 1, ${restoredAt === null ? 0 : minutesOf(now)}::int) AS revision, ${remote}::numeric - sent AS difference
      FROM usage_counters WHERE ${key}
    ), observed AS (
      INSERT INTO usage_reports (customer, meter, hour, revision, identifier, value, events, at, state, submitted_at, ended_at, restored_at, stripe_had)
      SELECT ${customer}, ${meter}, ${hour}, revision, ${`observed:${customer}:${meter}:${hour.toISOString()}:`} || revision, difference, 0, ${hour}, 'observed',
        ${now}, ${now}, ${restoredAt}::timestamptz, CASE WHEN ${restoredAt !== null}::boolean THEN ${remote}::numeric END FROM c
    )
    UPDATE usage_counters u SET sent = ${remote}::numeric, revision = c.revision FROM c WHERE ${key}`.execute(tx);
}

/** More than any hour has reports, and more at the next restore: as epochs of the outbox. */
const minutesOf = (now: Date): number => Math.floor(now.getTime() / 60_000);

/**
 * Of a meter that counts: events from before a restore that have not been reported are, as far as Stripe had more than the reports on record say, among what it
 * had; which of them they are is all the same. Answers how many.
 */
export async function recognize(tx: Transaction<PaymentsTables>, { customer, meter, hour }: HourOfUsage, now: Date): Promise<number> {
  const key = (alias: string) =>
    sql`${sql.ref(`${alias}.customer`)} = ${customer} AND ${sql.ref(`${alias}.meter`)} = ${meter} AND ${sql.ref(`${alias}.hour`)} = ${hour}`;
  const { rows } = await sql<{ events: number }>`
    WITH o AS (
      SELECT restored_at, ended_at, stripe_had FROM usage_reports o WHERE ${key('o')} AND stripe_had IS NOT NULL ORDER BY revision DESC LIMIT 1
    ), known AS (
      SELECT count(*) AS events FROM usage_reports r, o
      WHERE ${key('r')} AND r.event_id IS NOT NULL AND r.at < o.restored_at + ${AHEAD}
        -- What Stripe had then and lacks since has a repair sent again; it makes no room for others.
        AND (r.state IN ('delivered', 'observed') OR r.state = 'absent' AND r.ended_at > o.ended_at)
    ), back AS (
      SELECT e.id, e.at, row_number() OVER (ORDER BY e.at, e.counted_at, e.id) AS nth FROM usage_events e, o
      WHERE ${key('e')} AND e.counted_at IS NOT NULL AND e.at < o.restored_at + ${AHEAD}
        AND NOT EXISTS (SELECT FROM usage_reports r WHERE ${key('r')} AND r.event_id = e.id AND r.state <> 'absent')
    ), recognized AS (
      INSERT INTO usage_reports (customer, meter, hour, revision, identifier, event_id, value, events, at, state, submitted_at, ended_at)
      SELECT c.customer, c.meter, c.hour, c.revision + b.nth, 'observed:' || c.customer || ':' || c.meter || ':' || b.id || ':' || (c.revision + b.nth), b.id, 0, 1, b.at,
        'observed', ${now}, ${now}
      FROM back b, o, known k, usage_counters c WHERE ${key('c')} AND b.nth <= o.stripe_had - k.events
      RETURNING 1
    )
    SELECT count(*)::int AS events FROM recognized`.execute(tx);
  const events = rows[0]?.events ?? 0;
  if (events > 0)
    await sql`UPDATE usage_counters c SET revision = revision + ${events}::int, settled_events = settled_events + ${events}::int WHERE ${key('c')}`.execute(
      tx,
    );
  return events;
}
