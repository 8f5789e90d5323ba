import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';

type Db = Kysely<ReconciliationTables>;

/** What makes a disagreement the same from run to run. */
export interface SameKey {
  tenant: string;
  class: string;
  object: string;
  stripe_id: string | null;
  payment_id: string | null;
}

/** What of a run matters here. */
export interface ComparedRun {
  run_id: string;
  /** Null: of every tenant. */
  tenant: string | null;
  trigger: string;
  classes: string[] | null;
  period: { gte: number; lt: number };
}

/** The tenant of a run that is of every tenant. */
export const EVERY_TENANT = '*';

/** As `discrepancies_by_key` has it: no index serves IS NOT DISTINCT FROM. */
const same = (left: string, right: string) =>
  sql.raw(`${left}.tenant = ${right}.tenant AND ${left}.class = ${right}.class AND ${left}.object = ${right}.object
    AND coalesce(${left}.stripe_id, '') = coalesce(${right}.stripe_id, '') AND coalesce(${left}.payment_id, '') = coalesce(${right}.payment_id, '')`);

/**
 * Since when each of these has been found: by the newest run that found it, unless a run after that looked at the same time and class and did not. In their
 * order; null where it is new.
 */
export async function firstSeen(db: Db, keys: readonly SameKey[]): Promise<(Date | null)[]> {
  const column = (name: keyof SameKey) => keys.map((one) => one[name]);
  const { rows } = await sql<{ first_seen: Date | null }>`
    SELECT (
      SELECT CASE WHEN EXISTS (
        SELECT 1 FROM runs r WHERE r.status = 'succeeded' AND r.finished_at > d.found_at AND r.tenant IN (d.tenant, ${EVERY_TENANT})
          AND (d.made_at IS NULL OR (d.made_at >= r.period_start AND d.made_at < least(r.period_end, r.created_at)))
          AND (r.classes IS NULL OR d.class = ANY(r.classes)) AND (r.trigger <> 'rolling' OR d.class <> 'usage_mismatch')
      ) THEN NULL ELSE d.first_seen END
      FROM discrepancies d WHERE ${same('d', 'k')} ORDER BY d.found_at DESC LIMIT 1
    ) AS first_seen
    FROM unnest(${column('tenant')}::text[], ${column('class')}::text[], ${column('object')}::text[], ${column('stripe_id')}::text[], ${column('payment_id')}::text[])
      WITH ORDINALITY AS k(tenant, class, object, stripe_id, payment_id, place)
    ORDER BY k.place`.execute(db);
  return rows.map((row) => row.first_seen);
}

/** Rows `d` of the run before that this run looked at and did not find. */
export const notIn = (run: {
  run_id: string;
  period_start: Date | null;
  period_end: Date | null;
  created_at: Date;
  classes: string[] | null;
}) =>
  sql`AND (d.made_at IS NULL OR (d.made_at >= ${run.period_start} AND d.made_at < least(${run.period_end}::timestamptz, ${run.created_at}::timestamptz)))
    AND (${run.classes}::text[] IS NULL OR d.class = ANY(${run.classes}::text[]))
    AND NOT EXISTS (SELECT 1 FROM discrepancies k WHERE k.run_id = ${run.run_id} AND ${same('d', 'k')})`;

/** The newest run that succeeded, was made in the same way and looked at part of the same time. */
export async function previousRun(db: Db, run: ComparedRun): Promise<string | null> {
  const { rows } = await sql<{ run_id: string }>`
    SELECT run_id FROM runs
    WHERE status = 'succeeded' AND run_id <> ${run.run_id} AND tenant = ${run.tenant ?? EVERY_TENANT} AND (trigger = 'rolling') = (${run.trigger} = 'rolling')
      AND period_start < to_timestamp(${run.period.lt}::float8) AND period_end > to_timestamp(${run.period.gte}::float8)
    ORDER BY finished_at DESC LIMIT 1`.execute(db);
  return rows[0]?.run_id ?? null;
}

/** What the run before had found of what this one looked at, by tenant, with those of `found` left out: it is gone. */
export async function gone(db: Db, run: ComparedRun, previous: string, found: readonly SameKey[]): Promise<Map<string, number>> {
  const column = (name: keyof SameKey) => found.map((one) => one[name]);
  const { rows } = await sql<{ tenant: string; count: number }>`
    SELECT d.tenant, count(*)::int AS count FROM discrepancies d
    WHERE d.run_id = ${previous} AND (d.made_at IS NULL OR (d.made_at >= to_timestamp(${run.period.gte}::float8) AND d.made_at < to_timestamp(${run.period.lt}::float8)))
      AND (${run.classes}::text[] IS NULL OR d.class = ANY(${run.classes}::text[]))
      AND NOT EXISTS (
        SELECT 1 FROM unnest(${column('tenant')}::text[], ${column('class')}::text[], ${column('object')}::text[], ${column('stripe_id')}::text[],
          ${column('payment_id')}::text[]) AS k(tenant, class, object, stripe_id, payment_id)
        WHERE ${same('d', 'k')})
    GROUP BY d.tenant`.execute(db);
  return new Map(rows.map((row) => [row.tenant, row.count]));
}
