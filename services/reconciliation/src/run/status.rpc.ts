import type { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import type { RunPhase, RunTrigger } from '@tidegate/contracts/responses';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { Clock } from '@tidegate/service-host/clock';
import { sql } from 'kysely';
import type { CompareDb } from '../compare/kind.js';
import type { ReconciliationConfig } from '../config.js';
import { nextAfter, parseCron } from '../schedule/cron.decide.js';
import { TELLS_FRESHNESS } from './freshness.js';

export interface StatusParts {
  db: CompareDb;
  clock: Clock;
  config: Pick<ReconciliationConfig, 'RECONCILIATION_CRON' | 'RECONCILIATION_ROLLING_SECONDS'>;
}

/** A day, and an hour for the run itself: the alert on `billing_reconciliation_last_success_timestamp` has the same. */
const OVERDUE_SECONDS = 25 * 3600;

interface Freshness {
  success: Date | null;
  rolling: Date | null;
  installed_at: Date;
}

/** `reconciliation.rpc.operator_run.status.v1`: how fresh the comparison is, and what is running, of every tenant. */
export async function answerStatus({ db, clock, config }: StatusParts): Promise<HttpReply> {
  const now = clock.now();
  const { rows } = await sql<Freshness>`
    SELECT max(finished_at) FILTER (WHERE ${TELLS_FRESHNESS}) AS success, max(finished_at) FILTER (WHERE trigger = 'rolling') AS rolling,
      (SELECT installed_at FROM installation) AS installed_at
    FROM runs WHERE status = 'succeeded'`.execute(db);
  const { success, rolling, installed_at } = rows[0]!;
  const age_seconds = Math.max(0, Math.floor((now.getTime() - (success ?? installed_at).getTime()) / 1000));
  const cron = parseCron(config.RECONCILIATION_CRON);
  const view: ReconciliationStatusView = {
    object: 'reconciliation_status',
    last_success_at: success?.toISOString() ?? null,
    age_seconds,
    overdue: age_seconds > OVERDUE_SECONDS,
    cron: cron && config.RECONCILIATION_CRON,
    next_at: (cron && nextAfter(cron, now))?.toISOString() ?? null,
    rolling_seconds: config.RECONCILIATION_ROLLING_SECONDS,
    rolling_success_at: rolling?.toISOString() ?? null,
    running: await running(db),
  };
  return jsonReply(200, view);
}

async function running(db: CompareDb): Promise<ReconciliationStatusView['running']> {
  const { rows } = await sql<{ id: string; trigger: RunTrigger; phase: RunPhase; percent: number; created_at: Date }>`
    SELECT r.run_id AS id, r.trigger, coalesce(p.phase, 'waiting') AS phase, floor(coalesce(p.done, 0) * 100)::int AS percent, r.created_at
    FROM runs r LEFT JOIN run_progress p USING (run_id) WHERE r.status = 'running' ORDER BY r.created_at LIMIT 100`.execute(db);
  return rows.map(({ created_at, ...run }) => ({ ...run, started_at: created_at.toISOString() }));
}
