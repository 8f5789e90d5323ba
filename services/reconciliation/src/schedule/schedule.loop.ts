import { createHash } from 'node:crypto';
import { WrongExpectedVersion } from '@tidegate/event-store/append';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { CompareDb } from '../compare/kind.js';
import { EVERY_TENANT } from '../run/comparison.js';
import type { RunMode, RunRequested } from '../run/run.events.js';
import { appendRunEvents } from '../run/run.store.js';
import type { Cron } from './cron.decide.js';
import { type DueRun, dueDaily, dueRolling } from './schedule.decide.js';
import { installedAt, madeRuns } from './schedule.store.js';

export interface ScheduleParts {
  db: CompareDb;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  /** Null: somebody else's schedule makes the daily run, such as a CronJob's. */
  cron: Cron | null;
  /** Whole days before the day of the daily run that it looks at, too. */
  days: number;
  /** 0: no rolling compare. */
  rollingSeconds: number;
  mode: RunMode;
  /** Runs wait for their execution. */
  requested(): void;
}

/** Makes the runs that are due, of every tenant at once; answers how many. The leader's work, and harmless when two think they lead: a run's id follows from its time. */
export async function makeDueRuns(parts: ScheduleParts): Promise<number> {
  const { db, clock, cron, days, rollingSeconds } = parts;
  const now = clock.now();
  const installed = await installedAt(db);
  const daily = cron && dueDaily(cron, days, now, installed, await madeRuns(db, 'daily'));
  const rolling = rollingSeconds > 0 ? dueRolling(rollingSeconds, now, installed, await madeRuns(db, 'rolling')) : null;
  const due = [daily, rolling].filter((one) => one !== null);
  for (const one of due) await make(parts, one, now);
  if (due.length > 0) parts.requested();
  return due.length;
}

async function make(parts: ScheduleParts, due: DueRun, now: Date): Promise<void> {
  const { slot, ...run } = due;
  const digest = createHash('sha256').update(`${run.trigger}/${slot}`).digest('hex');
  const run_id = `rec_${digest.slice(0, 32)}`;
  const reason = run.trigger === 'daily' ? 'daily' : 'what is recent';
  const data: RunRequested['data'] = {
    ...run,
    run_id,
    tenant: EVERY_TENANT,
    mode: parts.mode,
    classes: null,
    reason,
    actor: 'service:reconciliation',
    request_hash: digest,
  };
  try {
    await inTransaction(parts, 'reconciliation.run.request', (tx) =>
      appendRunEvents(tx, run_id, 0, [{ type: 'RunRequested', data }], run_id, now),
    );
    parts.logger.info({ event: 'reconciliation_requested', run: run_id, trigger: run.trigger }, 'A run is due');
  } catch (error) {
    if (!(error instanceof WrongExpectedVersion)) throw error;
  }
}
