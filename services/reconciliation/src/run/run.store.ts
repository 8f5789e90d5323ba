import { append } from '@tidegate/event-store/append';
import type { RunComparison, RunTrigger } from '@tidegate/contracts/responses';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DiscrepanciesTable, ReconciliationTables, RunsTable } from '../tables.js';
import { TELLS_FRESHNESS } from './freshness.js';
import { EVERY_TENANT, notIn } from './comparison.js';
import { type OfTenant, type RunEvent, type RunMode, runStream } from './run.events.js';
import { recordRunEvent } from './run.record.js';

type Db = Kysely<ReconciliationTables>;
type Tx = Transaction<ReconciliationTables>;

/** A run that waits for its execution or is in the middle of it. */
export interface OpenRun {
  run_id: string;
  tenant: string;
  trigger: RunTrigger;
  mode: RunMode;
  start_date: string;
  end_date: string;
  /** Unix seconds, `gte` <= t < `lt`. */
  gte: number;
  lt: number;
  classes: string[] | null;
  tells_freshness: boolean;
}

export type StoredRun = Omit<RunsTable, 'counts' | 'trigger' | 'comparison' | 'of_tenants'> & {
  counts: Record<string, number>;
  trigger: RunTrigger;
  comparison: RunComparison | null;
  of_tenants: Record<string, OfTenant> | null;
  progress_pages: number | null;
  progress_objects: number | null;
  progress_done: number | null;
  progress_phase: string | null;
};

const CURRENT_SHAPE = 1;

/** Appends events to a run's stream and derives its tables from them. Throws WrongExpectedVersion when another process was first. */
export async function appendRunEvents(
  tx: Tx,
  runId: string,
  expectedVersion: number,
  events: readonly RunEvent[],
  correlationId: string,
  at: Date,
): Promise<void> {
  const metadata = { correlation_id: correlationId, causation_id: null, traceparent: currentTraceparent() };
  await append(
    tx,
    runStream(runId),
    expectedVersion,
    events.map(({ type, data }) => ({ type, version: CURRENT_SHAPE, data })),
    metadata,
    at,
  );
  for (const event of events) await recordRunEvent(tx, event, at);
}

/** Dates are read as text: a `date` has no time zone, a JavaScript Date has. */
const columns =
  sql.raw(`r.run_id, r.tenant, r.status, r.mode, r.start_date::text, r.end_date::text, r.classes, r.reason, r.actor, r.request_hash, r.pages, r.objects,
  r.counts, r.failure, r.created_at, r.finished_at, r.trigger, r.period_start, r.period_end, r.comparison, r.of_tenants, p.pages AS progress_pages, p.objects AS progress_objects, p.done AS progress_done, p.phase AS progress_phase`);

export async function findRun(db: Db, runId: string): Promise<StoredRun | null> {
  const { rows } =
    await sql<StoredRun>`SELECT ${columns} FROM runs r LEFT JOIN run_progress p USING (run_id) WHERE r.run_id = ${runId}`.execute(db);
  return rows[0] ?? null;
}

export interface RunFilter {
  status?: string | undefined;
  trigger?: string | undefined;
}

/** A tenant's runs and those of every tenant, newest first, that come after `after`. */
export async function listRuns(
  db: Db,
  tenant: string,
  { status, trigger }: RunFilter,
  { limit, after }: { limit: number; after: { created_at: Date; run_id: string } | null },
): Promise<StoredRun[]> {
  const from = after ? sql`AND (r.created_at, r.run_id) < (${after.created_at}, ${after.run_id})` : sql``;
  const ofStatus = status === undefined ? sql`` : sql`AND r.status = ${status}`;
  const ofTrigger = trigger === undefined ? sql`` : sql`AND r.trigger = ${trigger}`;
  const { rows } = await sql<StoredRun>`
    SELECT ${columns} FROM runs r LEFT JOIN run_progress p USING (run_id)
    WHERE r.tenant IN (${tenant}, ${EVERY_TENANT}) ${ofStatus} ${ofTrigger} ${from} ORDER BY r.created_at DESC, r.run_id DESC LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

export interface RowFilter {
  tenant: string;
  class?: string | undefined;
  state?: 'new' | 'persisting' | 'gone' | undefined;
}

export type StoredRow = Omit<DiscrepanciesTable, 'state'> & { state: 'new' | 'persisting' | 'gone' };

/** What a run found of a tenant, in the order found; with `gone`, what the run before it had found and it did not, though it looked at the same time. */
export async function listDiscrepancies(
  db: Db,
  run: StoredRun,
  filter: RowFilter,
  { limit, after }: { limit: number; after: number },
): Promise<StoredRow[]> {
  const isGone = filter.state === 'gone';
  const previous = run.comparison?.previous ?? run.of_tenants?.[filter.tenant]?.comparison.previous ?? '';
  const ofTenant = filter.tenant === EVERY_TENANT ? sql`` : sql`AND d.tenant = ${filter.tenant}`;
  const ofClass = filter.class === undefined ? sql`` : sql`AND d.class = ${filter.class}`;
  const ofState = filter.state === undefined || isGone ? sql`` : sql`AND d.state = ${filter.state}`;
  const { rows } = await sql<StoredRow>`
    SELECT d.*, ${isGone ? sql`'gone'` : sql`d.state`} AS state FROM discrepancies d
    WHERE d.run_id = ${isGone ? previous : run.run_id} ${ofTenant} AND d.number > ${after} ${ofClass} ${ofState}
      ${isGone ? notIn(run) : sql``}
    ORDER BY d.number LIMIT ${limit}`.execute(db);
  return rows;
}

/**
 * What is to be executed next among runs of that kind: a rolling compare must not wait for a month to be read. One that was begun goes on; else it is the turn of
 * the tenant whose last run ended longest ago, so that nobody waits for all that somebody else has asked for. The schedule's runs are a tenant's of their own.
 */
export async function nextOpenRun(db: Db, kind: 'ranges' | 'rolling' = 'ranges'): Promise<OpenRun | null> {
  const ofKind = sql`(trigger = 'rolling') = (${kind} = 'rolling')`;
  const { rows } = await sql<OpenRun>`
    WITH waiting AS (
      SELECT tenant, min(created_at) AS created_at FROM runs WHERE status = 'running' AND ${ofKind} GROUP BY tenant
    ), oldest AS (
      SELECT r.* FROM waiting w CROSS JOIN LATERAL (
        SELECT * FROM runs r WHERE r.tenant = w.tenant AND r.created_at = w.created_at AND status = 'running' AND ${ofKind} ORDER BY run_id LIMIT 1
      ) r
    )
    SELECT run_id, tenant, trigger, mode, start_date::text, end_date::text, classes, extract(epoch FROM period_start)::float8 AS gte,
      extract(epoch FROM period_end)::float8 AS lt, ${TELLS_FRESHNESS} AS tells_freshness
    FROM oldest o
    ORDER BY EXISTS (SELECT FROM run_progress p WHERE p.run_id = o.run_id) DESC, (
        -- Its last one that ended: each tenant's are executed in this order.
        SELECT finished_at FROM runs r WHERE r.tenant = o.tenant AND (r.created_at, r.run_id) < (o.created_at, o.run_id) AND ${ofKind}
        ORDER BY r.created_at DESC, r.run_id DESC LIMIT 1
      ) NULLS FIRST, created_at, run_id
    LIMIT 1`.execute(db);
  return rows[0] ?? null;
}
