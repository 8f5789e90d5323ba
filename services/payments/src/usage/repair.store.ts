import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Correction } from './repair.decide.js';
import { SUMMARY_LAG_MS } from './report.decide.js';
import { DOUBTED_SINCE, observe } from './restored.store.js';
import { LATEST_FIRST } from './usage-event.store.js';

/** An hour of a customer's usage that somebody wants to have put right, and why. */
export interface RepairWish {
  customer: string;
  meter: string;
  hour: Date;
  actor: string;
  reason: string;
}

export interface RepairedCounter {
  value: string;
  events: number;
  lost: string;
  last_value: string;
  formula: 'sum' | 'count' | 'last' | null;
  stripe_meter: string | null;
  delivered: number;
  open: boolean;
  latest_sent: number;
  last_call_at: Date | null;
  /** The restore since which nobody has asked Stripe what it has of this hour. */
  doubted_since: Date | null;
}

/** How often the latest event of an hour `c` was sent. */
export const LATEST_SENT = sql`(
  SELECT count(*)::int FROM usage_reports r WHERE (r.customer, r.meter, r.hour) = (c.customer, c.meter, c.hour) AND r.event_id = (
    SELECT e.id FROM usage_events e WHERE (e.customer, e.meter, e.hour) = (c.customer, c.meter, c.hour) AND e.counted_at IS NOT NULL
    ORDER BY ${LATEST_FIRST} LIMIT 1))`;

const keyOf = ({ customer, meter, hour }: RepairWish) => sql`customer = ${customer} AND meter = ${meter} AND hour = ${hour}`;
const targetOf = ({ customer, meter, hour }: RepairWish) => `${customer} ${meter} ${hour.toISOString()}`;
const ACTION = 'usage.repair';

export async function counterOf(db: Kysely<PaymentsTables>, wish: RepairWish): Promise<RepairedCounter | null> {
  const { rows } = await sql<RepairedCounter>`
    SELECT trim_scale(c.value)::text AS value, c.events, trim_scale(c.lost)::text AS lost, trim_scale(c.last_value)::text AS last_value, m.formula, m.stripe_meter,
      r.delivered, r.open, r.last_call_at, ${DOUBTED_SINCE} AS doubted_since, ${LATEST_SENT} AS latest_sent
    FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter CROSS JOIN LATERAL (
      SELECT coalesce(sum(value) FILTER (WHERE state IN ('delivered', 'observed') AND m.formula = 'count'), 0)::int AS delivered, coalesce(bool_or(state IN ('open', 'settling')), false) AS open,
        max(last_call_at) AS last_call_at
      FROM usage_reports r WHERE (r.customer, r.meter, r.hour) = (c.customer, c.meter, c.hour)) r
    WHERE ${keyOf(wish)}`.execute(db);
  return rows[0] ?? null;
}

/** What Stripe's summary said when the same was wished within the hour in the same words, and done; null when it was not. After an hour the summary tells. */
export async function doneBefore(db: Kysely<PaymentsTables>, wish: RepairWish, now: Date): Promise<string | null> {
  const { rows } = await sql<{ remote: string }>`
    SELECT details ->> 'remote' AS remote FROM operator_actions WHERE at > ${new Date(now.getTime() - SUMMARY_LAG_MS)} AND action = ${ACTION} AND target = ${targetOf(wish)}
      AND actor = ${wish.actor} AND reason = ${wish.reason} LIMIT 1`.execute(db);
  return rows[0]?.remote ?? null;
}

/**
 * Makes what Stripe's summary says what Stripe has, and the rest due, as `decide` says of the counter as it is now; answers what that was. Null when somebody holds the
 * counter, or has reported since the summary was asked for: then it says too little.
 */
export async function correct(
  tx: Transaction<PaymentsTables>,
  wish: RepairWish,
  { decide, remote, now }: { decide(counter: RepairedCounter): Correction; remote: string; now: Date },
): Promise<Correction | null> {
  const { rows } = await sql`
    SELECT FROM usage_counters WHERE ${keyOf(wish)} AND (holder IS NULL OR lease_until < clock_timestamp()) FOR UPDATE`.execute(tx);
  // In a statement of its own: it sees what the one who held the row has committed.
  if (rows.length === 0 || (await wasReportedSince(tx, wish, new Date(now.getTime() - SUMMARY_LAG_MS)))) return null;
  if ((await doneBefore(tx, wish, now)) !== null) return { kind: 'nothing' };
  // Another repair may have used the same summary already: what it sends again is lacking no longer.
  const counter = await counterOf(tx, wish);
  const correction = counter && decide(counter);
  if (!correction || correction.kind === 'refused') return correction;
  if (correction.kind === 'believe') await observe(tx, wish, { remote, now, restoredAt: doubtOf(counter) });
  else await sendAgain(tx, wish, correction, now);
  await sql`
    UPDATE usage_counters SET unreported_since = coalesce(unreported_since, ${now}), due_at = ${now}, attempt = 0, waits_for = NULL, holder = NULL,
      lease_until = NULL
    WHERE ${keyOf(wish)}`.execute(tx);
  const { actor, reason } = wish;
  await recordOperatorAction(tx, { actor, action: ACTION, target: targetOf(wish), reason, details: { remote } }, now);
  return correction;
}

/** The restore that has put in doubt what Stripe has of the hour; of a meter that takes the latest it is no matter. */
export const doubtOf = ({ formula, doubted_since }: RepairedCounter): Date | null => (formula === 'last' ? null : doubted_since);

async function wasReportedSince(tx: Transaction<PaymentsTables>, wish: RepairWish, since: Date): Promise<boolean> {
  const { rows } = await sql`SELECT FROM usage_reports WHERE ${keyOf(wish)} AND last_call_at > ${since} LIMIT 1`.execute(tx);
  return rows.length > 0;
}

/** What is absent is sent again by itself, under another identifier. */
async function sendAgain(
  tx: Transaction<PaymentsTables>,
  wish: RepairWish,
  correction: Exclude<Correction, { kind: 'refused' | 'believe' }>,
  now: Date,
): Promise<void> {
  if (correction.kind !== 'nothing')
    await sql`
      UPDATE usage_reports SET state = ${correction.kind === 'arrived' ? 'delivered' : 'absent'}, ended_at = ${now}
      WHERE ${keyOf(wish)} AND (state IN ('open', 'settling') OR (state = 'delivered' AND revision IN (${delivered(wish, correction)})))`.execute(
      tx,
    );
  await sql`
    UPDATE usage_counters c SET settled_events = r.settled, sent = r.sent
    FROM (
      SELECT coalesce(sum(events) FILTER (WHERE state IN ('delivered', 'expired', 'observed')), 0)::int AS settled,
        CASE (SELECT formula FROM usage_meters WHERE event_name = ${wish.meter})
          WHEN 'last' THEN coalesce((array_agg(value ORDER BY revision DESC) FILTER (WHERE state = 'delivered'))[1], 0)
          ELSE coalesce(sum(value) FILTER (WHERE state IN ('delivered', 'observed')), 0) END AS sent
      FROM usage_reports WHERE ${keyOf(wish)}) r
    WHERE ${keyOf(wish)}`.execute(tx);
}

/** Those delivered reports that are not at Stripe any more. */
function delivered(wish: RepairWish, correction: Correction) {
  if (correction.kind === 'again')
    return sql`SELECT revision FROM usage_reports WHERE ${keyOf(wish)} AND state = 'delivered' ORDER BY revision DESC LIMIT ${correction.events}`;
  if (correction.kind === 'latest_again')
    return sql`SELECT r.revision FROM usage_reports r WHERE r.customer = ${wish.customer} AND r.meter = ${wish.meter} AND r.hour = ${wish.hour}
      AND r.event_id = (SELECT id FROM usage_events WHERE ${keyOf(wish)} AND counted_at IS NOT NULL
        ORDER BY ${LATEST_FIRST} LIMIT 1)`;
  return sql`SELECT revision FROM usage_reports WHERE false`;
}
