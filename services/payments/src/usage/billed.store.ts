import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { DOUBTED_SINCE } from './restored.store.js';

type Db = Kysely<PaymentsTables>;

const HOUR = 3600;

/** Usage of a customer and a meter (its event name) in a period, epoch seconds, start inclusive, end exclusive. */
export interface PeriodOfUsage {
  customer: string;
  meter: string;
  start: number;
  end: number;
}

export interface Taken {
  tenant: string;
  /** What Stripe took with a timestamp of the period, decimal. */
  total: string;
  /** Usage of these hours is due, or a report of them has no certain answer. */
  waiting: boolean;
  /** An hour in which the period begins or ends was put right by its sum, which has no timestamp. */
  corrected: boolean;
}

/** Beginnings of the hours that a period lies in, or begins or ends in. */
export const hoursOf = ({ start, end }: Pick<PeriodOfUsage, 'start' | 'end'>): { from: number; to: number } => ({
  from: start - (start % HOUR),
  to: Math.ceil(end / HOUR) * HOUR,
});

/** Hours that are only in part in the period. */
const bordersOf = ({ start, end }: PeriodOfUsage): Date[] =>
  [...new Set([start, end].filter((at) => at % HOUR !== 0).map((at) => at - (at % HOUR)))].map(at);

const at = (seconds: number): Date => new Date(seconds * 1000);

/**
 * What Stripe took of a period, of a meter that sums or counts: whole hours by their counters, the hours at its ends by the timestamps of their reports. Null when
 * nothing was ever counted of this customer and meter.
 */
export async function takenIn(db: Db, period: PeriodOfUsage): Promise<Taken | null> {
  const { customer, meter, start, end } = period;
  const { from, to } = hoursOf(period);
  const key = sql`customer = ${customer} AND meter = ${meter}`;
  const borders = sql`${key} AND hour = ANY(${bordersOf(period).map((one) => one.toISOString())}::timestamptz[])`;
  const touched = sql`${key} AND hour >= ${at(from)} AND hour < ${at(to)}`;
  const { rows } = await sql<Omit<Taken, 'tenant'> & { tenant: string | null }>`
    SELECT (SELECT tenant FROM usage_counters WHERE ${key} LIMIT 1) AS tenant,
      trim_scale((SELECT coalesce(sum(sent), 0) FROM usage_counters
          WHERE ${key} AND hour >= ${at(Math.ceil(start / HOUR) * HOUR)} AND hour < ${at(end - (end % HOUR))})
        + (SELECT coalesce(sum(value), 0) FROM usage_reports
          WHERE ${borders} AND state IN ('delivered', 'observed') AND at >= ${at(start)} AND at < ${at(end)}))::text AS total,
      EXISTS (SELECT FROM usage_counters WHERE ${touched} AND due_at IS NOT NULL)
        OR EXISTS (SELECT FROM usage_reports WHERE ${touched} AND state IN ('open', 'settling')) AS waiting,
      EXISTS (SELECT FROM usage_reports WHERE ${borders} AND state = 'observed' AND value <> 0) AS corrected`.execute(db);
  const { tenant, ...taken } = rows[0]!;
  return tenant === null ? null : { ...taken, tenant };
}

export interface HourTaken {
  hour: Date;
  sent: string;
  late: string;
  last_call_at: Date | null;
  doubted: boolean;
}

/** The counters that a period touches; `late` is what of it was first sent after `lateFrom`. */
export async function hoursTaken(db: Db, period: PeriodOfUsage, lateFrom: Date): Promise<HourTaken[]> {
  const { customer, meter, start, end } = period;
  const { from, to } = hoursOf(period);
  const { rows } = await sql<HourTaken>`
    SELECT c.hour, trim_scale(c.sent)::text AS sent, trim_scale(r.late)::text AS late, r.last_call_at, ${DOUBTED_SINCE} IS NOT NULL AS doubted
    FROM usage_counters c CROSS JOIN LATERAL (
      SELECT max(last_call_at) AS last_call_at, coalesce(sum(value) FILTER (
        WHERE state = 'delivered' AND submitted_at >= ${lateFrom} AND at >= ${at(start)} AND at < ${at(end)}), 0) AS late
      FROM usage_reports r WHERE (r.customer, r.meter, r.hour) = (c.customer, c.meter, c.hour)) r
    WHERE c.customer = ${customer} AND c.meter = ${meter} AND c.hour >= ${at(from)} AND c.hour < ${at(to)} ORDER BY c.hour`.execute(db);
  return rows;
}

/** The event name and formula of a meter of Stripe's; null when we know none of that id, or not how it counts. */
export async function meterOf(db: Db, stripeMeter: string): Promise<{ event_name: string; formula: string | null } | null> {
  const { rows } = await sql<{ event_name: string; formula: string | null }>`
    SELECT event_name, formula FROM usage_meters WHERE stripe_meter = ${stripeMeter}`.execute(db);
  return rows[0] ?? null;
}
