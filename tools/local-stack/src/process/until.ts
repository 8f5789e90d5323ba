import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from '../stack-error.js';

export interface UntilOptions {
  /** What is being waited for, as it reads after "Waited 30 s for". */
  what: string;
  timeoutMs: number;
  everyMs?: number;
  /** Called before each attempt: a reason to give up at once, such as the process having ended. */
  giveUp?: () => string | undefined;
}

/** Repeats `attempt` until it stops throwing and returns its value. Throws StackError with the last reason at the deadline. */
export async function until<T>(attempt: () => Promise<T>, options: UntilOptions): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const reason = options.giveUp?.();
    if (reason !== undefined) throw new StackError(reason);
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) {
        const last = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
        throw new StackError(`Waited ${Math.round(options.timeoutMs / 1000)} s for ${options.what}: ${last}`);
      }
      await delay(options.everyMs ?? 50);
    }
  }
}
