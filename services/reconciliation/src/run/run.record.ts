import { periodOf } from './period.decide.js';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { DiscrepanciesFound, RunEvent, RunFinished, RunRequested } from './run.events.js';

type Tx = Transaction<ReconciliationTables>;

/** Derives `runs` and `discrepancies` from one event. Used when it is appended and when the tables are rebuilt. */
export function recordRunEvent(tx: Tx, event: RunEvent, occurredAt: Date): Promise<void> {
  switch (event.type) {
    case 'RunRequested':
      return recordRequested(tx, event.data, occurredAt);
    case 'DiscrepanciesFound':
      return recordFound(tx, event.data, occurredAt);
    case 'RunFinished':
      return recordFinished(tx, event.data, occurredAt);
  }
}

async function recordRequested(tx: Tx, run: RunRequested['data'], at: Date): Promise<void> {
  const period = run.period ?? periodOf(run.start_date, run.end_date);
  await sql`
    INSERT INTO runs (run_id, tenant, status, mode, start_date, end_date, classes, reason, actor, request_hash, pages, objects, counts, failure, created_at, finished_at, trigger,
      period_start, period_end)
    VALUES (${run.run_id}, ${run.tenant}, 'running', ${run.mode}, ${run.start_date}, ${run.end_date}, ${run.classes}::text[], ${run.reason}, ${run.actor},
      ${run.request_hash}, 0, 0, '{}', NULL, ${at}, NULL, ${run.trigger ?? 'operator'},
      to_timestamp(${period.gte}::float8), to_timestamp(${period.lt}::float8))`.execute(tx);
}

async function recordFound(tx: Tx, found: DiscrepanciesFound['data'], at: Date): Promise<void> {
  await tx
    .insertInto('discrepancies')
    .values(
      found.discrepancies.map((one) => ({
        ...one,
        local_id: one.local_id ?? null,
        run_id: found.run_id,
        tenant: one.tenant ?? found.tenant,
        made_at: one.made_at ? new Date(one.made_at) : null,
        first_seen: new Date(one.first_seen),
        found_at: at,
      })),
    )
    .execute();
}

async function recordFinished(tx: Tx, run: RunFinished['data'], at: Date): Promise<void> {
  await sql`
    UPDATE runs SET status = ${run.status}, counts = ${JSON.stringify(run.counts)}::jsonb, pages = ${run.pages}, objects = ${run.objects},
      failure = ${run.failure}, finished_at = ${at}, comparison = ${jsonOf(run.comparison)}::jsonb, of_tenants = ${jsonOf(run.of_tenants)}::jsonb
    WHERE run_id = ${run.run_id}`.execute(tx);
}

const jsonOf = (value: object | null | undefined): string | null => (value ? JSON.stringify(value) : null);
