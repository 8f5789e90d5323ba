import { type Kysely, sql, type Transaction } from 'kysely';
import type { Suspect } from '../compare/kind.js';
import type { Finding } from '../compare/finding.js';
import type { ReconciliationTables } from '../tables.js';
import { TELLS_FRESHNESS } from './freshness.js';

type Db = Kysely<ReconciliationTables>;
type Tx = Transaction<ReconciliationTables>;

/** One execution of a run, by the number that `beginAttempt` gave it. */
export interface Attempt {
  runId: string;
  attempt: number;
}

/** Another leader executes the run now, or has finished it. */
export class RunTakenOver extends Error {
  override name = 'RunTakenOver';
}

/** What is to be read next: a page of Stripe's list of a kind, a page of what is recorded, or the suspects. `cursor`: the last object of the page before. */
export type Position =
  { phase: 'listing' | 'recorded'; kind: string; cursor: string | null } | { phase: 'second_read' | 'report'; kind: null; cursor: null };

export interface Progress {
  pages: number;
  objects: number;
  /** Of the whole work, 0 to 1. */
  done: number;
  position: Position;
  /** What is counted beside the classes. */
  tallies: Record<string, number>;
  /** What was made later is no business of the run. */
  until: Date;
}

export interface Begun extends Progress {
  attempt: number;
  /** How many have begun that were not ended by a shutdown, this one included. */
  tries: number;
  /** How long ago the run was first begun, in seconds of the database's clock. */
  ageSeconds: number;
}

/** Notes that an execution begins, where the one before was, or at `start`; answers where that is and how many have begun. */
export async function beginAttempt(db: Db, runId: string, start: { kind: string; until: Date }): Promise<Begun> {
  const { rows } = await sql<ProgressRow & { attempts: number; tries: number; age: number }>`
    INSERT INTO run_progress AS p (run_id, attempts, pages, objects, until, kind) VALUES (${runId}, 1, 0, 0, ${start.until}, ${start.kind})
    ON CONFLICT (run_id) DO UPDATE SET attempts = p.attempts + 1,
      until = coalesce(p.until, excluded.until), kind = CASE WHEN p.until IS NULL THEN excluded.kind ELSE p.kind END
    RETURNING attempts, attempts - excused AS tries, pages, objects, done, phase, kind, cursor, tallies, until, extract(epoch FROM clock_timestamp() - started_at)::float8 AS age`.execute(
    db,
  );
  const row = rows[0]!;
  return { ...progress(row), attempt: row.attempts, tries: row.tries, ageSeconds: row.age };
}

/** A shutdown is no attempt that failed. Its number stays used, or an execution that this one had replaced would take itself for the one that goes on. */
export async function forgetAttempt(db: Db, { runId, attempt }: Attempt): Promise<void> {
  await db
    .updateTable('run_progress')
    .set({ excused: sql`excused + 1` })
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .execute();
}

/** What one page told. */
export interface PageRead {
  /** Of Stripe's; 0 for one of ours. */
  pages: number;
  objects: number;
  /** Kind and ids of what is ours and was on it. */
  object: string;
  seen: readonly string[];
  suspects: readonly Suspect[];
  tallies: Readonly<Record<string, number>>;
  next: Position;
  done: number;
}

/** Records one page and where to go on, in one statement. Throws RunTakenOver, and then records nothing. */
export async function recordPage(db: Db, { runId, attempt }: Attempt, page: PageRead): Promise<void> {
  const { suspects, next } = page;
  const { rows } = await sql`
    WITH progress AS (
      UPDATE run_progress SET pages = pages + ${page.pages}, objects = objects + ${page.objects}, phase = ${next.phase}, kind = ${next.kind},
        cursor = ${next.cursor}, done = ${page.done},
        tallies = tallies || (SELECT coalesce(jsonb_object_agg(t.key, coalesce((tallies ->> t.key)::int, 0) + t.value::int), '{}')
          FROM jsonb_each_text(${JSON.stringify(page.tallies)}::jsonb) t)
      WHERE run_id = ${runId} AND attempts = ${attempt} RETURNING run_id
    ), seen AS (
      INSERT INTO run_seen (run_id, object, object_id) SELECT run_id, ${page.object}, id FROM progress, unnest(${page.seen}::text[]) AS id ON CONFLICT DO NOTHING
    ), suspects AS (
      INSERT INTO run_suspects (run_id, tenant, object, key, local_id, stripe_id)
      SELECT run_id, s.tenant, s.object, coalesce(s.stripe_id, s.local_id), s.local_id, s.stripe_id
      FROM progress, unnest(${suspects.map((one) => one.tenant)}::text[], ${suspects.map((one) => one.object)}::text[],
        ${suspects.map((one) => one.local_id)}::text[], ${suspects.map((one) => one.stripe_id)}::text[]) WITH ORDINALITY AS s(tenant, object, local_id, stripe_id, place)
      ORDER BY s.place
      ON CONFLICT DO NOTHING
    )
    SELECT set_config('synchronous_commit', 'off', true) FROM progress`.execute(db);
  if (rows.length === 0) throw new RunTakenOver(runId);
}

/**
 * What the run before of every tenant and class has named and what is older than the period of this one: it is looked at again until it agrees, or it would be out of sight
 * without anybody having done anything about it. Usage has a time of its own for that. Throws RunTakenOver.
 */
export async function bringForward(db: Db, attempt: Attempt, period: { gte: number }): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await holdAttempt(tx, attempt);
    await sql`
      WITH named AS (
        SELECT number, tenant, object,
          CASE WHEN object IN ('ledger_transaction', 'ledger_clearing') THEN stripe_id WHEN object IN ('ledger_payment', 'receipt') THEN payment_id ELSE local_id END AS local_id,
          CASE WHEN object NOT IN ('ledger_transaction', 'ledger_clearing', 'ledger_payment', 'receipt') THEN stripe_id END AS stripe_id
        FROM discrepancies WHERE made_at < to_timestamp(${period.gte}::float8) AND run_id = (
          SELECT run_id FROM runs WHERE ${TELLS_FRESHNESS} AND status = 'succeeded' AND run_id <> ${attempt.runId} ORDER BY created_at DESC LIMIT 1)
      )
      INSERT INTO run_suspects (run_id, tenant, object, key, local_id, stripe_id)
      SELECT ${attempt.runId}, tenant, object, coalesce(stripe_id, local_id), local_id, stripe_id FROM named
      WHERE coalesce(stripe_id, local_id) IS NOT NULL AND object NOT IN ('usage_hour', 'invoice_usage') ORDER BY number
      ON CONFLICT DO NOTHING`.execute(tx);
  });
}

/** Throws RunTakenOver. */
export async function progressOf(db: Db, { runId, attempt }: Attempt): Promise<Progress> {
  const row = await db
    .selectFrom('run_progress')
    .selectAll()
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .executeTakeFirstOrThrow(() => new RunTakenOver(runId));
  return progress(row as unknown as ProgressRow);
}

/** Something that is not settled yet: the findings of the look before, and since when they have been the same. */
export interface OpenSuspect extends Suspect {
  number: number;
  findings: Finding[] | null;
  since: Date | null;
}

/** The next of those that are not settled, in the order found. */
export async function openSuspects(db: Db, runId: string, after: number, limit: number): Promise<OpenSuspect[]> {
  const rows = await db
    .selectFrom('run_suspects')
    .select(['number', 'tenant', 'object', 'local_id', 'stripe_id', 'findings', 'since'])
    .where('run_id', '=', runId)
    .where('settled', '=', false)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows as unknown as OpenSuspect[];
}

/** What a look at some suspects told: they agree, they differ and that counts, or they differ and may be on their way. */
export interface Looked {
  number: number;
  verdict: 'agrees' | 'counts' | 'restless';
  findings: readonly Finding[];
  since: Date;
  madeAt: Date | null;
}

/** Throws RunTakenOver. */
export async function recordLooks(db: Db, attempt: Attempt, looks: readonly Looked[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await holdAttempt(tx, attempt);
    const agree = looks.filter((one) => one.verdict === 'agrees').map((one) => one.number);
    if (agree.length > 0)
      await sql`DELETE FROM run_suspects WHERE run_id = ${attempt.runId} AND number = ANY(${agree}::bigint[])`.execute(tx);
    const differ = looks.filter((one) => one.verdict !== 'agrees');
    if (differ.length === 0) return;
    await sql`
      UPDATE run_suspects s SET settled = seen.counts, findings = seen.findings, since = seen.since, made_at = seen.made_at
      FROM unnest(${differ.map((one) => one.number)}::bigint[], ${differ.map((one) => one.verdict === 'counts')}::boolean[],
        ${differ.map((one) => JSON.stringify(one.findings))}::jsonb[], ${differ.map((one) => one.since)}::timestamptz[],
        ${differ.map((one) => one.madeAt)}::timestamptz[]) AS seen(number, counts, findings, since, made_at)
      WHERE s.run_id = ${attempt.runId} AND s.number = seen.number`.execute(tx);
  });
}

/** What never came to rest is alive, and no disagreement. Throws RunTakenOver. */
export async function dropRestless(db: Db, attempt: Attempt): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await holdAttempt(tx, attempt);
    await tx.deleteFrom('run_suspects').where('run_id', '=', attempt.runId).where('settled', '=', false).execute();
  });
}

/** What was done about a finding, and why not more. */
export interface Outcome {
  applied: boolean;
  reason: string | null;
}

/** A suspect that counts, with what was done about each of its findings, in their order; shorter while some wait. */
export interface Settled {
  number: number;
  tenant: string;
  made_at: Date | null;
  findings: Finding[];
  outcomes: Outcome[] | null;
}

export async function settledSuspects(db: Db, runId: string, after: number, limit: number): Promise<Settled[]> {
  const rows = await db
    .selectFrom('run_suspects')
    .select(['number', 'tenant', 'made_at', 'findings', 'outcomes'])
    .where('run_id', '=', runId)
    .where('settled', '=', true)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute();
  return rows as unknown as Settled[];
}

/** So that a repair is not asked for again when the process dies before the end of the run. Throws RunTakenOver. */
export async function recordOutcomes(db: Db, attempt: Attempt, number: number, outcomes: readonly Outcome[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await holdAttempt(tx, attempt);
    await sql`UPDATE run_suspects SET outcomes = ${JSON.stringify(outcomes)}::jsonb WHERE run_id = ${attempt.runId} AND number = ${number}`.execute(
      tx,
    );
  });
}

/** Throws RunTakenOver. */
export async function goTo(db: Db, { runId, attempt }: Attempt, phase: 'second_read' | 'report', done: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('run_progress')
    .set({ phase, kind: null, cursor: null, done })
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new RunTakenOver(runId);
}

export async function endWork(tx: Tx, runId: string): Promise<void> {
  for (const table of ['run_seen', 'run_suspects', 'run_progress'] as const)
    await tx.deleteFrom(table).where('run_id', '=', runId).execute();
}

async function holdAttempt(tx: Tx, { runId, attempt }: Attempt): Promise<void> {
  await tx
    .selectFrom('run_progress')
    .select('run_id')
    .where('run_id', '=', runId)
    .where('attempts', '=', attempt)
    .forUpdate()
    .executeTakeFirstOrThrow(() => new RunTakenOver(runId));
}

interface ProgressRow {
  pages: number;
  objects: number;
  done: number;
  phase: Position['phase'];
  kind: string | null;
  cursor: string | null;
  tallies: Record<string, number>;
  until: Date;
}

function progress({ pages, objects, done, phase, kind, cursor, tallies, until }: ProgressRow): Progress {
  const position: Position =
    phase === 'second_read' || phase === 'report' || kind === null
      ? { phase: phase === 'report' ? 'report' : 'second_read', kind: null, cursor: null }
      : { phase, kind, cursor };
  return { pages, objects, done, tallies, until, position };
}
