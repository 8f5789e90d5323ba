import { executeRun, type RunParts } from './run.flow.js';
import { nextOpenRun } from './run.store.js';

/**
 * Executes requested runs of one kind, one after another, tenants in turn and each tenant's oldest first; the leader's work. Answers 1 when it has executed one; a run takes minutes, and calls
 * `alive` all the while.
 */
export async function runOnce(
  parts: RunParts,
  stopping: AbortSignal,
  alive: () => void = () => undefined,
  kind: 'ranges' | 'rolling' = 'ranges',
): Promise<number> {
  const run = await nextOpenRun(parts.db, kind);
  if (!run) return 0;
  await executeRun(parts, run, { stopping, alive });
  return 1;
}
