import { z } from 'zod';
import { RunPhase, RunTrigger } from '../responses.js';

/** How fresh reconciliation is. `last_success_at` is of a run of days; null before the first, when freshness is measured from the installation. */
export const ReconciliationStatusView = z.object({
  object: z.literal('reconciliation_status'),
  last_success_at: z.iso.datetime().nullable(),
  age_seconds: z.int(),
  /** No run of days has succeeded for over a day. */
  overdue: z.boolean(),
  /** The crontab line in UTC; null where the service makes no daily run. */
  cron: z.string().nullable(),
  next_at: z.iso.datetime().nullable(),
  /** 0: there is no rolling compare. */
  rolling_seconds: z.int(),
  rolling_success_at: z.iso.datetime().nullable(),
  running: z.array(z.object({ id: z.string(), trigger: RunTrigger, phase: RunPhase, percent: z.int(), started_at: z.iso.datetime() })),
});
export type ReconciliationStatusView = z.infer<typeof ReconciliationStatusView>;
