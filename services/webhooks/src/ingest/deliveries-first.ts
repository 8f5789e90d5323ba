import { setTimeout as delay } from 'node:timers/promises';

/** So many rows within a tenth of a second are a burst: more than can be published in that time. */
const BURST_ROWS = 250;
/** Publishing goes on during the longest burst, a batch each second. */
const PATIENCE_MS = 1000;
const LOOK_EVERY_MS = 20;

/**
 * Waits while a burst of deliveries is being stored, for a second at most: Stripe waits for an answer, and what is stored can be published later. Storing an event takes a
 * small part of what publishing it takes, of the processor and of the disk, so that both at once would make each delivery wait.
 */
export async function deliveriesFirst(rowsLately: () => number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (rowsLately() >= BURST_ROWS && performance.now() < until) await delay(LOOK_EVERY_MS);
}
