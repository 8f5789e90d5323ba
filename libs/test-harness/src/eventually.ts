import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long the condition may take; default 50 s, which only a condition that never comes takes. */
  timeoutMs?: number;
  /** Pause between two attempts; default 25 ms. */
  everyMs?: number;
}

/**
 * Repeats `attempt` until it stops throwing, and returns its value. At the deadline the last error is thrown as it was, with the number of
 * attempts added to its message, so that a failed expectation inside reads like any other.
 */
export async function eventually<T>(attempt: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 50_000, everyMs = 25 } = options;
  const deadline = performance.now() + timeoutMs;
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw explained(error, attempts, timeoutMs);
      await delay(everyMs);
    }
  }
}

function explained(error: unknown, attempts: number, timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error;
  error.message = `${error.message}\n(still so after ${attempts} attempts in ${timeoutMs} ms)`;
  return error;
}
