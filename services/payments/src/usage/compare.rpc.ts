import { CompareUsageBody, type UsageComparison, type UsageDifference } from '@tidegate/contracts/rpc/usage-comparison';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Failpoints } from '@tidegate/database/failpoints';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Kysely, sql } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { compareHour, counted, type CountedHour } from './compare.decide.js';
import { decodePlace, encodePlace } from './list-place.js';

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

interface Row extends CountedHour {
  tenant: string;
  hour: Date;
  stripe_meter: string;
}

async function compare(deps: CompareDeps, request: Parameters<RouteHandler>[0]) {
  const body = CompareUsageBody.safeParse(request.body);
  const after = placeAfter(body.data?.cursor);
  if (!body.success || !after)
    return problemReply('validation.failed', 'Give from, to and the cursor of the page before.', request.request_id);
  const range = { from: floorHour(body.data.from), to: new Date(body.data.to) };
  const pairs = await pairsOf(deps.db, range, after);
  const until = Date.now() + LONGEST_MS;
  const told: UsageComparison = { object: 'usage_comparison', compared: 0, agreeing: 0, pending: 0, differences: [], next_cursor: null };
  for (const [nth, pair] of pairs.entries()) {
    if (nth > 0 && (Date.now() > until || told.differences.length >= MOST_HOURS)) break;
    const hours = await hoursOf(deps.db, pair, range, after);
    const compared = await comparePair(deps, pair, hours);
    if (compared === null)
      return problemReply('payments.stripe_unavailable', 'Stripe could not be asked for its summaries.', request.request_id, {
        retryAfterMs: 2000,
      });
    told.compared += compared.compared;
    told.agreeing += compared.agreeing;
    told.pending += compared.pending;
    told.differences.push(...compared.differences);
    const isLast = nth === pairs.length - 1 && pairs.length < MOST_PAIRS && hours.length < MOST_HOURS;
    told.next_cursor = isLast ? null : encodePlace([pair.customer, pair.meter, (hours.at(-1) ?? range.to).toISOString()]);
  }
  return jsonReply(200, told);
}

interface Pair {
  customer: string;
  meter: string;
}

/** The hour that a page goes on after. */
interface Place extends Pair {
  hour: Date;
}

interface Range {
  from: Date;
  to: Date;
}

function placeAfter(cursor: string | null | undefined): Place | null {
  if (!cursor) return { customer: '', meter: '', hour: new Date(0) };
  const [customer = '', meter = '', hour = ''] = decodePlace(cursor, 3) ?? [];
  return Number.isNaN(Date.parse(hour)) ? null : { customer, meter, hour: new Date(hour) };
}

async function pairsOf(db: CompareDeps['db'], { from, to }: Range, after: Place): Promise<Pair[]> {
  const { rows } = await sql<Pair>`
    SELECT DISTINCT c.customer, c.meter FROM usage_counters c
    WHERE hour >= ${from} AND hour < ${to} AND (c.customer, c.meter, c.hour) > (${after.customer}, ${after.meter}, ${after.hour})
    ORDER BY c.customer, c.meter LIMIT ${MOST_PAIRS}`.execute(db);
  return rows;
}

async function hoursOf(db: CompareDeps['db'], { customer, meter }: Pair, { from, to }: Range, after: Place): Promise<Date[]> {
  const { rows } = await sql<{ hour: Date }>`
    SELECT hour FROM usage_counters
    WHERE customer = ${customer} AND meter = ${meter} AND hour >= ${from} AND hour < ${to}
      AND (customer, meter, hour) > (${after.customer}, ${after.meter}, ${after.hour})
    ORDER BY hour LIMIT ${MOST_HOURS}`.execute(db);
  return rows.map(({ hour }) => hour);
}

/** What we have of these hours. */
async function countedIn(db: CompareDeps['db'], { customer, meter }: Pair, hours: readonly Date[]) {
  const { rows } = await sql<Row & { stripe_meter: string | null }>`
    SELECT c.tenant, c.hour, c.events, trim_scale(c.value)::text AS value, trim_scale(c.last_value)::text AS last_value,
      trim_scale(c.sent)::text AS sent, trim_scale(c.lost)::text AS lost, m.formula, m.stripe_meter, trim_scale(o.value)::text AS open_value,
      (SELECT max(r.last_call_at) FROM usage_reports r WHERE (r.customer, r.meter, r.hour) = (c.customer, c.meter, c.hour)) AS last_call_at
    FROM usage_counters c LEFT JOIN usage_meters m ON m.event_name = c.meter
    LEFT JOIN usage_reports o ON (o.customer, o.meter, o.hour) = (c.customer, c.meter, c.hour) AND o.state IN ('open', 'settling')
    WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour = ANY(${hours.map((hour) => hour.toISOString())}::timestamptz[]) ORDER BY c.hour`.execute(
    db,
  );
  return rows;
}

/** Null when Stripe gave no answer. Hours of a meter that Stripe does not have are pending: they wait for it. */
async function comparePair({ db, stripe, failpoints, clock }: CompareDeps, { customer, meter }: Pair, hours: readonly Date[]) {
  const [first, last] = [hours[0], hours.at(-1)];
  const { rows: meters } = await sql<{ stripe_meter: string }>`SELECT stripe_meter FROM usage_meters WHERE event_name = ${meter}`.execute(
    db,
  );
  const [known] = meters;
  if (!first || !last || !known) return { compared: hours.length, agreeing: 0, pending: hours.length, differences: [] };
  const range = { customer, start: first.getTime() / 1000, end: (last.getTime() + HOUR_MS) / 1000 };
  const reading = withFailpoints(stripe, failpoints, 'payments.usage.summary');
  const askedAt = clock.now();
  const summaries = await everyPage((query) => reading.listMeterSummaries(known.stripe_meter, query), range);
  if (summaries.kind !== 'ok' && summaries.kind !== 'rejected' && summaries.kind !== 'not_found') return null;
  // After Stripe's: what was reported while it was read shows as a call that is too young to be in a summary.
  const rows = await countedIn(db, { customer, meter }, hours);
  if (summaries.kind !== 'ok')
    return {
      compared: rows.length,
      agreeing: 0,
      pending: 0,
      differences: rows.map((row) => difference({ customer, meter }, row, null, 'stripe_differs')),
    };
  const remote = new Map(summaries.value.map(({ start, value }) => [start * 1000, value]));
  const verdicts = rows.map((row) => {
    const summary = remote.get(row.hour.getTime()) ?? 0;
    return { row, summary, verdict: compareHour(row, summary, askedAt) };
  });
  const agreeing = verdicts.filter(({ verdict }) => verdict.kind === 'agree').map(({ row }) => row.hour.toISOString());
  if (agreeing.length > 0)
    await sql`
      UPDATE usage_counters SET last_reconciled_at = ${askedAt}
      WHERE customer = ${customer} AND meter = ${meter} AND hour = ANY(${agreeing}::timestamptz[])`.execute(db);
  return {
    compared: rows.length,
    agreeing: agreeing.length,
    pending: verdicts.filter(({ verdict }) => verdict.kind === 'pending').length,
    differences: verdicts.flatMap(({ row, summary, verdict }) =>
      verdict.kind === 'mismatch' ? [difference({ customer, meter }, row, summary, verdict.reason)] : [],
    ),
  };
}

const difference = (
  pair: Pair,
  row: Row & { stripe_meter: string | null },
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
  repairable: row.formula === 'sum' && reason === 'stripe_differs' && remote !== null,
});

const floorHour = (text: string): Date => new Date(Math.floor(Date.parse(text) / HOUR_MS) * HOUR_MS);
