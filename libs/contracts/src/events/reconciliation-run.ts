import { z } from 'zod';
import { defineEvent } from '../envelope.js';

export const RunFinished = z.object({
  run_id: z.string(),
  status: z.enum(['succeeded', 'failed']),
  mode: z.enum(['report', 'repair']),
  counts: z.record(z.string(), z.int()),
  reason: z.string().nullable(),
});
export type RunFinished = z.infer<typeof RunFinished>;

export const runFinished = defineEvent({
  subject: 'reconciliation.events.run.finished.v1',
  version: 1,
  doc: 'A reconciliation run ended. `counts` is rows per class; a partial run is failed.',
  data: RunFinished,
  example: {
    run_id: 'rec_4f1c2b7a9d3e5f60',
    status: 'succeeded' as const,
    mode: 'report' as const,
    counts: { missing_local: 0 },
    reason: null,
  },
});
