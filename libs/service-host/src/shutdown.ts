import type { Logger } from '@tidegate/telemetry/logger';

/** How long each step of an orderly stop may take, in milliseconds. What kills a process that does not end must wait for longer than their sum. */
export const STOP_LIMITS_MS = {
  workInHand: 15_000,
  service: 1_000,
  broker: 1_500,
  database: 1_500,
  telemetry: 2_500,
  timers: 100,
} as const;

export interface ShutdownStep {
  name: string;
  /** How long it may take; later steps run all the same. */
  limitMs: number;
  run(): Promise<unknown>;
}

/** Runs the steps in order. One that fails or takes too long is logged, and the next one runs: nothing may keep the process alive. True when all went well. */
export async function runSteps(steps: readonly ShutdownStep[], logger: Logger): Promise<boolean> {
  let clean = true;
  for (const step of steps) {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${step.limitMs} ms`)), step.limitMs);
    });
    try {
      await Promise.race([step.run(), limit]);
    } catch (error) {
      clean = false;
      logger.error({ event: 'shutdown_step_failed', step: step.name, err: error }, 'A step of the shutdown failed; going on');
    } finally {
      clearTimeout(timer);
    }
  }
  return clean;
}
