import { DISCREPANCY_CLASSES, type DiscrepancyView, type RunPhase, type RunView } from '@tidegate/contracts/responses';
import { EVERY_TENANT } from './comparison.js';
import type { StoredRow, StoredRun } from './run.store.js';

/** A run as REST shows it to a tenant. `reason` is the requester's, or why the run failed; what an operator says of a run of every tenant is for operators. */
export function runView(run: StoredRun, tenant: string): RunView {
  const running = run.status === 'running';
  return {
    id: run.run_id,
    object: 'reconciliation_run',
    trigger: run.trigger,
    every_tenant: run.tenant === EVERY_TENANT,
    status: run.status,
    mode: run.mode,
    start_date: run.start_date,
    end_date: run.end_date,
    progress: {
      pages: run.progress_pages ?? run.pages,
      objects: run.progress_objects ?? run.objects,
      percent: running ? Math.floor((run.progress_done ?? 0) * 100) : 100,
      phase: running ? ((run.progress_phase as RunPhase | null) ?? 'waiting') : 'ended',
    },
    ...foundOf(run, tenant),
    reason: run.failure ?? (isOperators(run) && tenant !== EVERY_TENANT ? null : run.reason),
    created_at: run.created_at.toISOString(),
    finished_at: run.finished_at?.toISOString() ?? null,
  };
}

const isOperators = (run: StoredRun): boolean => run.tenant === EVERY_TENANT && run.trigger === 'operator';

/** Of a run of every tenant, what it found of this one; what it counted beside the classes is of the account. */
function foundOf(run: StoredRun, tenant: string): Pick<RunView, 'counts' | 'comparison'> {
  if (run.tenant !== EVERY_TENANT || tenant === EVERY_TENANT || run.status !== 'succeeded')
    return { counts: run.counts, comparison: run.comparison };
  const own = run.of_tenants?.[tenant];
  const { previous = null } = run.comparison ?? {};
  const none = Object.fromEntries(DISCREPANCY_CLASSES.filter((name) => name in run.counts).map((name) => [name, 0]));
  return { counts: { ...none, ...own?.counts }, comparison: own?.comparison ?? { previous, new: 0, persisting: 0, gone: 0 } };
}

export function discrepancyView(row: StoredRow, now: Date): DiscrepancyView {
  const { local, remote, payment_id, stripe_id, local_id, proposed_repair, applied, reason, state } = row;
  return {
    class: row.class,
    object: row.object,
    state,
    payment_id,
    stripe_id,
    local_id,
    local,
    remote,
    first_seen: row.first_seen.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - row.first_seen.getTime()) / 1000)),
    proposed_repair,
    applied,
    reason,
  };
}
