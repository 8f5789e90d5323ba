import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@tidegate/telemetry/logger';

const TRIES = 3;
const PAUSE_MS = 1000;
const TIMEOUT_MS = 10_000;

/**
 * Tells whoever waits to hear of it that a run succeeded (a dead-man's switch: silence is what alarms), by a GET. Tries three times, and then leaves it: the
 * switch does its duty. The address may hold a key, so it is in no line of the log.
 */
export async function ping(url: string, logger: Logger): Promise<void> {
  for (let n = 1; n <= TRIES; n += 1) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.ok) return;
      logger.warn({ event: 'reconciliation_ping_failed', status: answer.status, attempt: n }, 'The ping after a run was refused');
    } catch (error) {
      logger.warn({ event: 'reconciliation_ping_failed', error: (error as Error).name, attempt: n }, 'The ping after a run did not arrive');
    }
    if (n < TRIES) await delay(PAUSE_MS * n, undefined, { ref: false });
  }
}
