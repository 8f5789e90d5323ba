import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { hadAndMore } from './restored.store.js';
import { LATEST_FIRST } from './usage-event.store.js';

/**
 * Fills `usage_counters` again from what was sent to us and what was reported to Stripe; answers how many there are. Whatever is not reported is due at once;
 * when a counter was last compared is forgotten.
 */
export async function rebuildUsageCounters(db: Kysely<PaymentsTables>, now: Date): Promise<number> {
  // A repair leaves a difference without events, and a restore leaves usage at Stripe whose events are lost.
  const lacks = sql`(c.events > coalesce(r.events, 0) OR r.is_open
    OR coalesce(m.formula, 'sum') = 'sum' AND greatest(c.value - coalesce(r.lost, 0), ${hadAndMore(sql`'sum'`)}) <> coalesce(r.sent, 0))`;
  return db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE usage_counters IN EXCLUSIVE MODE`.execute(tx);
    await sql`DELETE FROM usage_counters`.execute(tx);
    const { rows } = await sql`
      INSERT INTO usage_counters (customer, meter, hour, tenant, value, events, last_value, last_at, last_counted_at, last_id, sent, lost, settled_events, revision,
        unreported_since, due_at, updated_at)
      SELECT c.customer, c.meter, c.hour, c.tenant, c.value, c.events, c.last_value, c.last_at, c.last_counted_at, c.last_id,
        CASE WHEN m.formula = 'last' THEN coalesce(r.last_sent, 0) ELSE coalesce(r.sent, 0) END, coalesce(r.lost, 0), coalesce(r.events, 0),
        coalesce(r.revision, 0),
        CASE WHEN ${lacks} THEN c.since END, CASE WHEN ${lacks} THEN ${now}::timestamptz END, ${now}
      FROM (
        SELECT customer, meter, hour, min(tenant) AS tenant, sum(value) AS value, count(*) AS events, max(at) AS last_at,
          (array_agg(value ORDER BY ${LATEST_FIRST}))[1] AS last_value, (array_agg(counted_at ORDER BY ${LATEST_FIRST}))[1] AS last_counted_at,
          (array_agg(id ORDER BY ${LATEST_FIRST}))[1] AS last_id, min(counted_at) AS since
        FROM usage_events WHERE counted_at IS NOT NULL GROUP BY customer, meter, hour
      ) c
      LEFT JOIN (
        SELECT customer, meter, hour, max(revision) AS revision, bool_or(state IN ('open', 'settling')) AS is_open,
          sum(value) FILTER (WHERE state IN ('delivered', 'observed')) AS sent, sum(value) FILTER (WHERE state = 'expired') AS lost,
          (array_agg(value ORDER BY revision DESC) FILTER (WHERE state = 'delivered'))[1] AS last_sent,
          sum(events) FILTER (WHERE state IN ('delivered', 'expired', 'observed')) AS events
        FROM usage_reports GROUP BY customer, meter, hour
      ) r USING (customer, meter, hour)
      LEFT JOIN usage_meters m ON m.event_name = c.meter
      RETURNING 1`.execute(tx);
    return rows.length;
  });
}
