import { setTimeout as delay } from 'node:timers/promises';

/** So many rows within a tenth of a second are a burst: more than can be published in that time. */
const BURST_ROWS = 250;
/** So many are one, too, where the process has no time left beside them: on a slow machine they are all that it can store. */
const SOME_ROWS = 50;
const BUSY = 0.7;
/** Publishing goes on during the longest burst, a batch each second. */
const PATIENCE_MS = 1000;
const LOOK_EVERY_MS = 20;

/** `busy`: which part of the time since it was asked last the process was at work, 0 to 1. */
export interface Load {
  rowsLately(): number;
  busy(): number;
}

/** How busy the event loop is, from one question to the next. */
export function eventLoopBusy(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}

/**
 * Waits while a burst of deliveries is being stored, for a second at most: Stripe waits for an answer, and what is stored can be published later. Storing an event takes a
 * small part of what publishing it takes, of the processor and of the disk, so that both at once would make each delivery wait.
 */
export async function deliveriesFirst({ rowsLately, busy }: Load): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  // Publishing was at work until now: how busy deliveries alone keep the process shows from here on.
  busy();
  while (rowsLately() >= SOME_ROWS && performance.now() < until) {
    await delay(LOOK_EVERY_MS);
    if (busy() < BUSY && rowsLately() < BURST_ROWS) return;
  }
}
