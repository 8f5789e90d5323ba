import { type Formula } from '@tidegate/stripe-gateway/meter';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { eventIdentifier, hourIdentifier } from './identifiers.js';
import { type Answered, type Report, type WaitsFor } from './report.decide.js';
import { BILLABLE_SUM, DOUBTED_SINCE, IS_RESTORED, recognize } from './restored.store.js';

type Db = Kysely<PaymentsTables>;
type Tx = Transaction<PaymentsTables>;

/** A counter whose lease is held. */
export interface Lane {
  customer: string;
  meter: string;
  hour: Date;
  tenant: string;
  attempt: number;
  holder: string;
  /** The restore since which nobody has asked Stripe what it has of this hour: nothing is sent before. */
  doubted_since: Date | null;
  /** Whether Stripe was asked so, after a restore. */
  restored: boolean;
}

/** Longer than one turn and one call take; after it no call is sent any more, and what a holder does is harmless. */
const LEASE = sql`clock_timestamp() + interval '15 seconds'`;
/** What one report can say at most. */
const MOST = sql.lit('999999999999999.999999999999');

const keyOf = ({ customer, meter, hour }: Lane) => sql`customer = ${customer} AND meter = ${meter} AND hour = ${hour}`;
const held = (lane: Lane) => sql`${keyOf(lane)} AND holder = ${lane.holder}`;
const isHolder = (lane: Lane) => sql<boolean>`EXISTS (SELECT FROM usage_counters WHERE ${held(lane)} FOR UPDATE)`;

/** Leases of counters whose time has come or whose holder is gone, those first that are due longest. `now` is the clock of decisions. */
export async function acquireLanes(db: Db, holder: string, now: Date, limit: number): Promise<Lane[]> {
  const { rows } = await sql<Lane>`
    WITH due AS MATERIALIZED (
      SELECT customer, meter, hour FROM usage_counters WHERE due_at <= ${now} AND (holder IS NULL OR lease_until < clock_timestamp())
      ORDER BY due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    )
    UPDATE usage_counters c SET holder = ${holder}, lease_until = ${LEASE}
    FROM due
    WHERE (c.customer, c.meter, c.hour) = (due.customer, due.meter, due.hour)
    RETURNING c.customer, c.meter, c.hour, c.tenant, c.attempt, c.holder, ${DOUBTED_SINCE} AS doubted_since, ${IS_RESTORED} AS restored`.execute(
    db,
  );
  return rows;
}

/** Ends a tenure: the counter is due again at `dueAt`. */
export async function releaseLane(db: Db, lane: Lane, left: { dueAt: Date; attempt: number; waitsFor: WaitsFor | null }): Promise<void> {
  await sql`
    UPDATE usage_counters SET holder = NULL, lease_until = NULL, due_at = ${left.dueAt}, attempt = ${left.attempt}, waits_for = ${left.waitsFor}
    WHERE ${held(lane)}`.execute(db);
}

/** Ends a tenure after a report that is certain: the counter is due again at `dueAt` if anything is left, such as what came meanwhile. */
export async function finishLane(db: Db, lane: Lane, formula: Formula, dueAt: Date): Promise<void> {
  const isDone = sql`(events = settled_events AND (${formula !== 'sum'}::boolean OR value = sent + lost))`;
  await sql`
    UPDATE usage_counters SET holder = NULL, lease_until = NULL, attempt = 0, waits_for = NULL,
      due_at = CASE WHEN ${isDone} THEN NULL ELSE ${dueAt}::timestamptz END,
      unreported_since = CASE WHEN ${isDone} THEN NULL ELSE unreported_since END
    WHERE ${held(lane)}`.execute(db);
}

export async function openReport(db: Db, lane: Lane): Promise<Report | null> {
  const { rows } = await sql<Report>`
    SELECT revision, identifier, event_id, trim_scale(value)::text AS value, at, state, uncertain_since, last_call_at
    FROM usage_reports WHERE ${keyOf(lane)} AND state IN ('open', 'settling')`.execute(db);
  return rows[0] ?? null;
}

/**
 * Writes down the next report of a counter and that its first call is about to be made; null when all is reported, which ends the tenure in the same transaction, so
 * that usage that comes meanwhile makes the counter due again. Also null when the lease is lost.
 */
export async function submit(tx: Tx, lane: Lane, formula: Formula, now: Date): Promise<Report | null> {
  if (formula === 'count' && (lane.restored || lane.doubted_since)) await recognize(tx, lane, now);
  const { rows } = await sql<{ revision: number; delta: string; events: number; last_at: Date }>`
    SELECT revision + 1 AS revision, trim_scale(greatest(-${MOST}::numeric, least(${MOST}::numeric, ${BILLABLE_SUM} - sent)))::text AS delta,
      events - settled_events AS events, last_at
    FROM usage_counters c WHERE ${held(lane)} FOR UPDATE`.execute(tx);
  const [counter] = rows;
  if (!counter) return null;
  const draft = formula === 'sum' ? ofTheHour(lane, counter) : await ofOneEvent(tx, lane, counter.revision, formula);
  if (!draft) {
    await sql`
      UPDATE usage_counters SET settled_events = events, unreported_since = NULL, due_at = NULL, attempt = 0, waits_for = NULL, holder = NULL, lease_until = NULL
      WHERE ${held(lane)}`.execute(tx);
    return null;
  }
  const { customer, meter, hour } = lane;
  await sql`
    INSERT INTO usage_reports (customer, meter, hour, revision, identifier, event_id, value, events, at, state, submitted_at, uncertain_since, last_call_at, calls)
    VALUES (${customer}, ${meter}, ${hour}, ${draft.revision}, ${draft.identifier}, ${draft.event_id}, ${draft.value}::numeric, ${draft.events},
      ${draft.at}, 'open', ${now}, ${now}, ${now}, 1)`.execute(tx);
  await sql`UPDATE usage_counters SET revision = ${draft.revision}, lease_until = ${LEASE} WHERE ${held(lane)}`.execute(tx);
  // As before its call: nothing of it can be at Stripe yet.
  return { ...draft, state: 'open', uncertain_since: null, last_call_at: null };
}

type Draft = Pick<Report, 'revision' | 'identifier' | 'event_id' | 'value' | 'at'> & { events: number };

/** All that the sum of an hour lacks at Stripe, at the time of its latest event. */
function ofTheHour(
  { meter, customer, hour }: Lane,
  { revision, delta, events, last_at }: { revision: number; delta: string; events: number; last_at: Date },
): Draft | null {
  if (/^-?0$/.test(delta)) return null;
  return { revision, identifier: hourIdentifier(meter, customer, hour, revision), event_id: null, value: delta, at: last_at, events };
}

/** The earliest event that was not delivered. A meter that counts gets 1 for each. */
async function ofOneEvent(tx: Tx, lane: Lane, revision: number, formula: Formula): Promise<Draft | null> {
  const { meter, customer, hour, tenant } = lane;
  const { rows } = await sql<{ id: string; value: string; at: Date; tries: number }>`
    SELECT e.id, trim_scale(e.value)::text AS value, e.at,
      (SELECT count(*)::int FROM usage_reports r WHERE (r.customer, r.meter, r.hour, r.event_id) = (e.customer, e.meter, e.hour, e.id)) AS tries
    FROM usage_events e
    WHERE e.customer = ${customer} AND e.meter = ${meter} AND e.hour = ${hour} AND e.counted_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM usage_reports r
        WHERE (r.customer, r.meter, r.hour, r.event_id) = (e.customer, e.meter, e.hour, e.id) AND r.state <> 'absent')
    ORDER BY date_trunc('second', e.at), e.counted_at, e.received_at, e.id LIMIT 1`.execute(tx);
  const [event] = rows;
  if (!event) return null;
  const identifier = eventIdentifier(meter, customer, { tenant, id: event.id }, event.tries);
  return { revision, identifier, event_id: event.id, value: formula === 'count' ? '1' : event.value, at: event.at, events: 1 };
}

/** Writes down that a report is about to be sent once more; false when it is certain by now, or the lease is lost. */
export async function submitAgain(db: Db, lane: Lane, { revision }: Report, now: Date): Promise<boolean> {
  const { rows } = await sql`
    WITH mine AS (UPDATE usage_counters SET lease_until = ${LEASE} WHERE ${held(lane)} RETURNING customer)
    UPDATE usage_reports SET uncertain_since = coalesce(uncertain_since, ${now}), last_call_at = ${now}, calls = calls + 1
    WHERE ${keyOf(lane)} AND revision = ${revision} AND state = 'open' AND EXISTS (SELECT FROM mine) RETURNING revision`.execute(db);
  return rows.length > 0;
}

/**
 * Whether a call that was written down may still be made: nobody else can have the counter yet. Whoever has it may since have learnt from a summary that the call had no
 * effect, or the identifier may protect no longer. Told by the database's clock, because that of a machine that stood still may have stood still with it.
 */
export async function isLeaseRunning(db: Db, lane: Lane): Promise<boolean> {
  const { rows } = await sql`SELECT FROM usage_counters WHERE ${held(lane)} AND lease_until > clock_timestamp()`.execute(db);
  return rows.length > 0;
}

/**
 * A report whose outcome is certain, and with it what Stripe has; answers whether it ended here. One that somebody else has ended changes nothing. That Stripe has it is true whoever hears it; that it
 * has not is for the holder of the lease to say, since another one's call may have had its effect.
 */
export async function endReport(
  db: Db,
  lane: Lane,
  { revision }: Pick<Report, 'revision'>,
  state: 'delivered' | 'absent' | 'expired',
  { formula, now }: { formula: Formula; now: Date },
): Promise<boolean> {
  const sent = formula === 'last' ? sql`r.value` : sql`c.sent + r.value`;
  const { rows } = await sql`
    WITH r AS (
      UPDATE usage_reports SET state = ${state}, ended_at = ${now} WHERE ${keyOf(lane)} AND revision = ${revision} AND state IN ('open', 'settling')
        AND (${state === 'delivered'}::boolean OR ${isHolder(lane)})
      RETURNING value, events, submitted_at
    )
    UPDATE usage_counters c SET attempt = 0, waits_for = NULL,
      sent = CASE WHEN ${state === 'delivered'} THEN ${sent} ELSE c.sent END,
      lost = CASE WHEN ${state === 'expired'} THEN c.lost + r.value ELSE c.lost END,
      settled_events = c.settled_events + CASE WHEN ${state === 'absent'} THEN 0 ELSE r.events END,
      unreported_since = CASE WHEN ${state === 'absent'} THEN c.unreported_since
        WHEN c.events > c.settled_events + r.events THEN greatest(c.unreported_since, r.submitted_at) END
    FROM r WHERE ${keyOf(lane)} RETURNING 1`.execute(db);
  return rows.length > 0;
}

/**
 * A report that stays: whether it may have had its effect, or that from now on only the summary tells. The answer of a call whose lease ran out says nothing of the call
 * of the next holder, and takes nothing back from what that one has found.
 */
export async function keepReport(
  db: Db,
  lane: Lane,
  report: Report,
  next: Extract<Answered, { kind: 'again' | 'settling' }>,
): Promise<void> {
  const certainlyNot = next.kind === 'again' && !next.uncertain;
  await sql`
    UPDATE usage_reports SET state = CASE WHEN ${next.kind === 'settling'}::boolean THEN 'settling' ELSE state END,
      uncertain_since = CASE WHEN ${certainlyNot}::boolean AND ${isHolder(lane)} THEN NULL ELSE uncertain_since END
    WHERE ${keyOf(lane)} AND revision = ${report.revision} AND state IN ('open', 'settling')`.execute(db);
}

/** Whether the lease is still held; nobody takes it until the end of the transaction. */
export async function isHeld(tx: Tx, lane: Lane): Promise<boolean> {
  const { rows } = await sql`SELECT FROM usage_counters WHERE ${held(lane)} FOR UPDATE`.execute(tx);
  return rows.length > 0;
}

/** What Stripe is known to have of a counter. */
export async function sentOf(db: Db, lane: Pick<Lane, 'customer' | 'meter' | 'hour'>): Promise<string> {
  const { rows } = await sql<{ sent: string }>`
    SELECT trim_scale(sent)::text AS sent FROM usage_counters
    WHERE customer = ${lane.customer} AND meter = ${lane.meter} AND hour = ${lane.hour}`.execute(db);
  return rows[0]?.sent ?? '0';
}
