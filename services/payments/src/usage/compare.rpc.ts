import { CompareUsageBody, type UsageComparison, type UsageDifference } from '@tidegate/contracts/rpc/usage-comparison';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Failpoints } from '@tidegate/database/failpoints';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Kysely, sql } from 'kysely';
import { isErased } from '../customer/customer.erasure.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { compareHour, counted, type CountedHour } from './compare.decide.js';
import { decodePlace, encodePlace } from './list-place.js';
import { LATEST_SENT } from './repair.store.js';
import { DOUBTED_SINCE, hadAndMore } from './restored.store.js';

export interface CompareDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
}

const HOUR_MS = 3_600_000;
/** Nothing more is begun after this, so that the answer is in time. */
const LONGEST_MS = 8_000;
const MOST_PAIRS = 50;
/** Of one pair at a time, so that an answer in which everything differs still fits in a message of the broker. */
const MOST_HOURS = 500;

/** `payments.rpc.usage.compare.v1`: our counters of a range of hours beside Stripe's summaries, some customers, meters and hours per request. */
export const compareHandlers = (deps: CompareDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.usageCompare]: (request) => compare(deps, request),
});

/** Which counters are compared. */
interface Scope {
  from: Date;
  to: Date;
  /** Hours from here to `from`, too, unless a comparison has confirmed what they hold. */
  unconfirmedFrom: Date | null;
  tenant: string | null;
  counter: Pair | null;
}

interface Pair {
  customer: string;
  meter: string;
}

/** The hour that a page goes on after. */
interface Place extends Pair {
  hour: Date;
}

interface Row extends CountedHour {
  tenant: string;
  hour: Date;
  stripe_meter: string | null;
}

async function compare(deps: CompareDeps, request: Parameters<RouteHandler>[0]) {
  const body = CompareUsageBody.safeParse(request.body);
  const after = placeAfter(body.data?.cursor);
  if (!body.success || !after)
    return problemReply('validation.failed', 'Give from, to and the cursor of the page before.', request.request_id);
  const scope = scopeOf(body.data);
  const pairs = await pairsOf(deps.db, scope, after);
  const until = Date.now() + LONGEST_MS;
  const told: UsageComparison = { object: 'usage_comparison', compared: 0, agreeing: 0, pending: 0, differences: [], next_cursor: null };
  for (const [nth, pair] of pairs.entries()) {
    if (nth > 0 && (Date.now() > until || told.differences.length >= MOST_HOURS)) break;
    const hours = await hoursOf(deps.db, pair, scope, after);
    const compared = await comparePair(deps, pair, { hours, scope, after });
    if (compared === null)
      return problemReply('payments.stripe_unavailable', 'Stripe could not be asked for its summaries.', request.request_id, {
        retryAfterMs: 2000,
      });
    told.compared += compared.compared;
    told.agreeing += compared.agreeing;
    told.pending += compared.pending;
    told.differences.push(...compared.differences);
    const isLast = nth === pairs.length - 1 && pairs.length < MOST_PAIRS && hours.length < MOST_HOURS;
    told.next_cursor = isLast ? null : encodePlace([pair.customer, pair.meter, (hours.at(-1) ?? scope.to).toISOString()]);
  }
  return jsonReply(200, told);
}

const scopeOf = ({ from, to, unconfirmed_from, tenant, counter }: CompareUsageBody): Scope => ({
  from: floorHour(from),
  to: new Date(to),
  unconfirmedFrom: unconfirmed_from === undefined ? null : floorHour(unconfirmed_from),
  tenant: tenant ?? null,
  counter: counter ?? null,
});

/** Rows `c` of usage_counters in the scope, after a place. */
const within = ({ from, to, unconfirmedFrom, tenant, counter }: Scope, after: Place) => sql`(c.hour >= ${from} AND c.hour < ${to}
    ${unconfirmedFrom === null ? sql`` : sql`OR (c.hour >= ${unconfirmedFrom} AND c.hour < ${from} AND coalesce(c.last_reconciled_at < c.updated_at, true))`})
  AND (c.customer, c.meter, c.hour) > (${after.customer}, ${after.meter}, ${after.hour})
  ${tenant === null ? sql`` : sql`AND c.tenant = ${tenant}`}
  ${counter === null ? sql`` : sql`AND c.customer = ${counter.customer} AND c.meter = ${counter.meter}`}`;

function placeAfter(cursor: string | null | undefined): Place | null {
  if (!cursor) return { customer: '', meter: '', hour: new Date(0) };
  const [customer = '', meter = '', hour = ''] = decodePlace(cursor, 3) ?? [];
  return Number.isNaN(Date.parse(hour)) ? null : { customer, meter, hour: new Date(hour) };
}

async function pairsOf(db: CompareDeps['db'], scope: Scope, after: Place): Promise<Pair[]> {
  const { rows } = await sql<Pair>`
    SELECT DISTINCT c.customer, c.meter FROM usage_counters c WHERE ${within(scope, after)}
    ORDER BY c.customer, c.meter LIMIT ${MOST_PAIRS}`.execute(db);
  return rows;
}

async function hoursOf(db: CompareDeps['db'], { customer, meter }: Pair, scope: Scope, after: Place): Promise<Date[]> {
  const { rows } = await sql<{ hour: Date }>`
    SELECT c.hour FROM usage_counters c WHERE ${within(scope, after)} AND c.customer = ${customer} AND c.meter = ${meter}
    ORDER BY c.hour LIMIT ${MOST_HOURS}`.execute(db);
  return rows.map(({ hour }) => hour);
}

/** What we have of these hours. */
async function countedIn(db: CompareDeps['db'], { customer, meter }: Pair, hours: readonly Date[]): Promise<Row[]> {
  const { rows } = await sql<Row>`
    SELECT c.tenant, c.hour, c.events, trim_scale(c.value)::text AS value, trim_scale(c.last_value)::text AS last_value,
      trim_scale(c.sent)::text AS sent, trim_scale(c.lost)::text AS lost, m.formula, m.stripe_meter, trim_scale(o.value)::text AS open_value,
      (SELECT max(r.last_call_at) FROM usage_reports r WHERE (r.customer, r.meter, r.hour) = (c.customer, c.meter, c.hour)) AS last_call_at,
      CASE WHEN m.formula = 'last' THEN ${LATEST_SENT} ELSE 0 END AS latest_sent, c.due_at IS NOT NULL AS is_due, ${DOUBTED_SINCE} AS doubted_since,
      CASE WHEN m.formula <> 'last' THEN trim_scale(${hadAndMore(sql`m.formula`)})::text END AS had
    FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter
    LEFT JOIN usage_reports o ON (o.customer, o.meter, o.hour) = (c.customer, c.meter, c.hour) AND o.state IN ('open', 'settling')
    WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour = ANY(${hours.map((hour) => hour.toISOString())}::timestamptz[]) ORDER BY c.hour`.execute(
    db,
  );
  return rows;
}

/** Some hours of a pair: those after `after`. */
interface PairPage {
  hours: readonly Date[];
  scope: Scope;
  after: Place;
}

/** Null when Stripe gave no answer. Hours of a meter that Stripe does not have are pending: they wait for it. */
async function comparePair({ db, stripe, failpoints, clock }: CompareDeps, pair: Pair, page: PairPage) {
  const { hours } = page;
  const { rows: meters } = await sql<{ stripe_meter: string }>`
    SELECT stripe_meter FROM usage_meters WHERE event_name = ${pair.meter}`.execute(db);
  const [known] = meters;
  if (hours.length === 0 || !known) return { compared: hours.length, agreeing: 0, pending: hours.length, differences: [] };
  const askedAt = clock.now();
  const span = spanOf(pair, page, askedAt);
  const reading = withFailpoints(stripe, failpoints, 'payments.usage.summary');
  const asked = { customer: pair.customer, start: span.start / 1000, end: span.end / 1000 };
  const summaries = await everyPage((query) => reading.listMeterSummaries(known.stripe_meter, query), asked);
  if (summaries.kind !== 'ok' && summaries.kind !== 'rejected' && summaries.kind !== 'not_found') return null;
  // After Stripe's: what was reported while it was read shows as a call that is too young to be in a summary.
  const rows = await countedIn(db, pair, hours);
  // With the customer Stripe has deleted what could be compared.
  if (summaries.kind !== 'ok' && (await isErased(db, pair.customer)))
    return { compared: rows.length, agreeing: 0, pending: rows.length, differences: [] };
  if (summaries.kind !== 'ok')
    return {
      compared: rows.length,
      agreeing: 0,
      pending: 0,
      differences: rows.map((row) => difference(pair, row, null, 'stripe_differs')),
    };
  const remote = new Map(summaries.value.map(({ start, value }) => [start * 1000, value]));
  const verdicts = rows.map((row) => {
    const summary = remote.get(row.hour.getTime()) ?? 0;
    return { row, summary, verdict: compareHour(row, summary, askedAt) };
  });
  const agreeing = verdicts.filter(({ verdict }) => verdict.kind === 'agree').map(({ row }) => row);
  await confirm(db, pair, agreeing, askedAt);
  const differing = verdicts.flatMap(({ row, summary, verdict }) =>
    verdict.kind === 'mismatch' ? [difference(pair, row, summary, verdict.reason)] : [],
  );
  return {
    compared: rows.length,
    agreeing: agreeing.length,
    pending: verdicts.filter(({ verdict }) => verdict.kind === 'pending').length,
    differences: [...differing, ...(await notOurs(db, pair, page.scope, rows[0], remote))],
  };
}

/** All hours of the range, in which others may have reported, and our own before it; Stripe counts none that has not begun. */
function spanOf({ customer, meter }: Pair, { hours, scope, after }: PairPage, now: Date): { start: number; end: number } {
  const [first, last] = [hours[0]!.getTime(), hours.at(-1)!.getTime()];
  const goesOn = after.customer === customer && after.meter === meter;
  const begun = Math.min(scope.to.getTime(), now.getTime());
  return {
    start: goesOn ? after.hour.getTime() + HOUR_MS : Math.min(scope.from.getTime(), first),
    end: hours.length < MOST_HOURS ? Math.max(last + HOUR_MS, Math.ceil(begun / HOUR_MS) * HOUR_MS) : last + HOUR_MS,
  };
}

/** Only what was counted when the summary was compared: usage that came meanwhile is not confirmed by it. */
async function confirm(db: CompareDeps['db'], { customer, meter }: Pair, rows: readonly Row[], askedAt: Date): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    UPDATE usage_counters c SET last_reconciled_at = ${askedAt}, unconfirmed = c.updated_at > ${askedAt}::timestamptz
    FROM unnest(${rows.map(({ hour }) => hour.toISOString())}::timestamptz[], ${rows.map(({ events }) => events)}::int[]) AS k(hour, events)
    WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour = k.hour AND c.events = k.events`.execute(db);
}

/** Hours of the range of which we have nothing and Stripe has something, unless a restore has lost their record; the first of them, where there are so many that an answer would not fit. */
async function notOurs(
  db: CompareDeps['db'],
  pair: Pair,
  { from, to }: Scope,
  row: Row | undefined,
  remote: ReadonlyMap<number, number>,
): Promise<UsageDifference[]> {
  const told = [...remote].filter(([start, value]) => value !== 0 && start >= from.getTime() && start < to.getTime());
  if (!row || told.length === 0) return [];
  const { rows } = await sql<{ start: Date }>`
    SELECT t.start FROM unnest(${told.map(([start]) => new Date(start).toISOString())}::timestamptz[]) AS t(start)
    WHERE NOT EXISTS (SELECT FROM usage_counters c WHERE c.customer = ${pair.customer} AND c.meter = ${pair.meter} AND c.hour = t.start)
      AND NOT EXISTS (SELECT FROM restores v WHERE t.start > v.restore_point - interval '1 hour' AND t.start < v.restored_at)
    ORDER BY t.start LIMIT ${MOST_HOURS}`.execute(db);
  const { tenant, formula, stripe_meter } = row;
  const nothing = { tenant, formula, stripe_meter, value: '0', events: 0, last_value: '0', sent: '0' };
  return rows.map(({ start: hour }) => difference(pair, { ...nothing, hour }, remote.get(hour.getTime()) ?? 0, 'not_ours'));
}

const difference = (
  pair: Pair,
  row: Pick<Row, 'tenant' | 'hour' | 'stripe_meter' | 'sent' | 'formula' | 'value' | 'events' | 'last_value'>,
  remote: number | null,
  reason: UsageDifference['reason'],
): UsageDifference => ({
  ...pair,
  tenant: row.tenant,
  hour: row.hour.toISOString(),
  stripe_meter: row.stripe_meter,
  local: counted(row),
  sent: row.sent,
  remote: remote === null ? null : String(remote),
  reason,
  repairable: reason === 'stripe_differs' && remote !== null,
});

const floorHour = (text: string): Date => new Date(Math.floor(Date.parse(text) / HOUR_MS) * HOUR_MS);
