import { DISCREPANCY_CLASSES } from '@tidegate/contracts/responses';
import type { Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from './tables.js';
import { TELLS_FRESHNESS } from './run/freshness.js';

export const JOBS = ['reconciliation', 'stale_payments', 'ledger'] as const;
export const JOB_ERRORS = ['stripe_unavailable', 'payments_unavailable', 'inbox_behind', 'deadline', 'internal'] as const;
export type Job = (typeof JOBS)[number];
export type JobError = (typeof JOB_ERRORS)[number];

export interface ReconciliationMetrics {
  finished(result: 'succeeded' | 'failed', seconds: number, counts: Readonly<Record<string, number>>): void;
  jobError(job: Job, error: JobError): void;
}

/** The series that others rely on. Times of the last success are read from the table, so every replica tells the same. `rollingSeconds`: 0 when the rolling compare is turned off. */
export function reconciliationMetrics(metrics: Metrics, db: Kysely<ReconciliationTables>, rollingSeconds = 300): ReconciliationMetrics {
  const duration = metrics.histogram(
    'billing_reconciliation_duration_seconds',
    'Time of one run',
    {},
    [0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600],
  );
  const discrepancies = metrics.counter('billing_reconciliation_discrepancies_total', 'Disagreements that runs have named', {
    class: DISCREPANCY_CLASSES,
  });
  const runs = metrics.counter('billing_reconciliation_runs_total', 'Runs by how they ended', { result: ['succeeded', 'failed'] });
  const errors = metrics.counter('job_errors_total', 'Failures of background jobs', { job: JOBS, error_type: JOB_ERRORS });
  metrics.gauge(
    'billing_reconciliation_last_success_timestamp',
    'When the last daily run succeeded, or one asked for of every tenant that read the whole day before its own in every class, in Unix seconds; the time of installation before the first',
    {},
    async (gauge) => gauge.set(await lastSuccess(db, 'days')),
  );
  metrics.gauge(
    'billing_reconciliation_rolling_last_success_timestamp',
    'When the rolling compare last succeeded, in Unix seconds; the time of installation before the first, now where it is turned off',
    {},
    async (gauge) => gauge.set(rollingSeconds === 0 ? Date.now() / 1000 : await lastSuccess(db, 'rolling')),
  );
  metrics.gauge('ledger_fees_pending', 'Sales whose balance transaction, and with it the fee, Stripe has not made yet', {}, async (gauge) =>
    gauge.set((await lastSweep(db)).pending),
  );
  metrics.gauge('ledger_fees_pending_oldest_seconds', 'Age of the oldest sale without a balance transaction', {}, async (gauge) =>
    gauge.set((await lastSweep(db)).oldest),
  );
  metrics.gauge(
    'ledger_balance_read_timestamp',
    "Up to when Stripe's balance transactions have been read, in Unix seconds; the time of installation before the first pass",
    {},
    async (gauge) => gauge.set((await lastSweep(db)).read),
  );
  return {
    finished(result, seconds, counts) {
      runs.inc({ result });
      duration.observe(seconds);
      for (const name of DISCREPANCY_CLASSES) discrepancies.inc({ class: name }, counts[name] ?? 0);
    },
    jobError: (job, error_type) => errors.inc({ job, error_type }),
  };
}

async function lastSweep(db: Kysely<ReconciliationTables>): Promise<{ pending: number; oldest: number; read: number }> {
  const { rows } = await sql<{ pending: number; oldest: number; read: number }>`
    SELECT fees_pending AS pending, coalesce(greatest(extract(epoch FROM read_to - fees_pending_since), 0), 0)::float8 AS oldest,
      extract(epoch FROM coalesce(read_to, (SELECT installed_at FROM installation)))::float8 AS read FROM balance_sweep`.execute(db);
  return rows[0] ?? { pending: 0, oldest: 0, read: 0 };
}

async function lastSuccess(db: Kysely<ReconciliationTables>, kind: 'days' | 'rolling'): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT extract(epoch FROM coalesce((SELECT max(finished_at) FROM runs WHERE status = 'succeeded' AND ${kind === 'days' ? TELLS_FRESHNESS : sql`trigger = 'rolling'`}), (SELECT installed_at FROM installation)))::float8 AS seconds`.execute(
    db,
  );
  return rows[0]?.seconds ?? 0;
}
