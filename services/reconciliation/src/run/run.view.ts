import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import type { DiscrepanciesTable } from '../tables.js';
import type { StoredRun } from './run.store.js';

/** A run as REST shows it. `reason` is the requester's, or why the run failed. */
export function runView(run: StoredRun): RunView {
  return {
    id: run.run_id,
    object: 'reconciliation_run',
    status: run.status,
    mode: run.mode,
    start_date: run.start_date,
    end_date: run.end_date,
    progress: { pages: run.progress_pages ?? run.pages, objects: run.progress_objects ?? run.objects },
    counts: run.counts,
    reason: run.failure ?? run.reason,
    created_at: run.created_at.toISOString(),
    finished_at: run.finished_at?.toISOString() ?? null,
  };
}

export function discrepancyView(row: DiscrepanciesTable, now: Date): DiscrepancyView {
  const { local, remote, payment_id, stripe_id, proposed_repair, applied, reason } = row;
  return {
    class: row.class,
    object: row.object,
    payment_id,
    stripe_id,
    local,
    remote,
    first_seen: row.first_seen.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - row.first_seen.getTime()) / 1000)),
    proposed_repair,
    applied,
    reason,
  };
}
