import { append } from '@tidegate/event-store/append';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DiscrepanciesTable, ReconciliationTables, RunsTable } from '../tables.js';
import { type RunEvent, type RunMode, runStream } from './run.events.js';
import { recordRunEvent } from './run.record.js';

type Db = Kysely<ReconciliationTables>;
type Tx = Transaction<ReconciliationTables>;

/** A run that waits for its execution or is in the middle of it. */
export interface OpenRun {
  run_id: string;
  tenant: string;
  mode: RunMode;
  start_date: string;
  end_date: string;
  classes: string[] | null;
}

export type StoredRun = Omit<RunsTable, 'counts'> & {
  counts: Record<string, number>;
  progress_pages: number | null;
  progress_objects: number | null;
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
  r.counts, r.failure, r.created_at, r.finished_at, p.pages AS progress_pages, p.objects AS progress_objects`);

export async function findRun(db: Db, runId: string): Promise<StoredRun | null> {
  const { rows } =
    await sql<StoredRun>`SELECT ${columns} FROM runs r LEFT JOIN run_progress p USING (run_id) WHERE r.run_id = ${runId}`.execute(db);
  return rows[0] ?? null;
}

/** A tenant's runs, newest first, that come after `after`. */
export async function listRuns(
  db: Db,
  tenant: string,
  limit: number,
  after: { created_at: Date; run_id: string } | null,
): Promise<StoredRun[]> {
  const from = after ? sql`AND (r.created_at, r.run_id) < (${after.created_at}, ${after.run_id})` : sql``;
  const { rows } = await sql<StoredRun>`
    SELECT ${columns} FROM runs r LEFT JOIN run_progress p USING (run_id)
    WHERE r.tenant = ${tenant} ${from} ORDER BY r.created_at DESC, r.run_id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function listDiscrepancies(db: Db, runId: string, limit: number, after: number): Promise<DiscrepanciesTable[]> {
  return db
    .selectFrom('discrepancies')
    .selectAll()
    .where('run_id', '=', runId)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute();
}

export async function oldestOpenRun(db: Db): Promise<OpenRun | null> {
  const { rows } = await sql<OpenRun>`
    SELECT run_id, tenant, mode, start_date::text, end_date::text, classes FROM runs WHERE status = 'running' ORDER BY created_at, run_id LIMIT 1`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** Notes that an execution begins, from the first page on; how many have begun. */
export async function beginAttempt(db: Db, runId: string): Promise<number> {
  await db.deleteFrom('run_seen').where('run_id', '=', runId).execute();
  const { rows } = await sql<{ attempts: number }>`
    INSERT INTO run_progress AS p (run_id, attempts, pages, objects) VALUES (${runId}, 1, 0, 0)
    ON CONFLICT (run_id) DO UPDATE SET attempts = p.attempts + 1, pages = 0, objects = 0 RETURNING attempts`.execute(db);
  return rows[0]!.attempts;
}

/** One execution of a run, by the number that `beginAttempt` gave it. */
export interface Attempt {
  runId: string;
  attempt: number;
}

/** Another leader executes the run now, or has finished it. */
export class RunTakenOver extends Error {
  override name = 'RunTakenOver';
}

/** A shutdown is no attempt. */
export async function forgetAttempt(db: Db, { runId, attempt }: Attempt): Promise<void> {
  await db
    .updateTable('run_progress')
    .set({ attempts: sql`attempts - 1` })
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .execute();
}

/** Records one page: which objects it showed, ours and Stripe's ids alike. Throws RunTakenOver, and then records nothing. */
export async function recordPage(db: Db, { runId, attempt }: Attempt, ids: readonly string[], objects: number): Promise<void> {
  const { rows } = await sql`
    WITH progress AS (
      UPDATE run_progress SET pages = pages + 1, objects = objects + ${objects} WHERE run_id = ${runId} AND attempts = ${attempt} RETURNING run_id
    ), seen AS (
      INSERT INTO run_seen (run_id, object_id) SELECT run_id, id FROM progress, unnest(${ids}::text[]) AS id ON CONFLICT DO NOTHING
    )
    SELECT 1 FROM progress`.execute(db);
  if (rows.length === 0) throw new RunTakenOver(runId);
}

/** Throws RunTakenOver. */
export async function progressOf(db: Db, { runId, attempt }: Attempt): Promise<{ pages: number; objects: number }> {
  return db
    .selectFrom('run_progress')
    .select(['pages', 'objects'])
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .executeTakeFirstOrThrow(() => new RunTakenOver(runId));
}

export async function endWork(tx: Tx, runId: string): Promise<void> {
  await tx.deleteFrom('run_seen').where('run_id', '=', runId).execute();
  await tx.deleteFrom('run_progress').where('run_id', '=', runId).execute();
}

/** When this tenant's runs first saw the same disagreement; null when it is new. */
export async function firstSeen(
  db: Db,
  tenant: string,
  same: { class: string; object: string; stripe_id: string | null; payment_id: string | null },
): Promise<Date | null> {
  const { rows } = await sql<{ first_seen: Date }>`
    SELECT first_seen FROM discrepancies
    WHERE tenant = ${tenant} AND class = ${same.class} AND object = ${same.object}
      AND stripe_id IS NOT DISTINCT FROM ${same.stripe_id} AND payment_id IS NOT DISTINCT FROM ${same.payment_id}
    ORDER BY found_at DESC LIMIT 1`.execute(db);
  return rows[0]?.first_seen ?? null;
}
