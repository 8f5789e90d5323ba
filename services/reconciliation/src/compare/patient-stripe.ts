import { setTimeout as delay } from 'node:timers/promises';
import type { StripeFailure, StripeOutcome } from '@tidegate/stripe-gateway/port';

/** Stripe gave no answer although we waited; whatever needed it is not known. */
export class StripeUnanswered extends Error {
  constructor(readonly failure: StripeFailure['kind']) {
    super(`Stripe could not be read: ${failure}`);
    this.name = 'StripeUnanswered';
  }
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

export interface Patience {
  patienceMs: number;
  stopping: AbortSignal;
  /** Called after each answer. */
  alive(): void;
}

/**
 * The certain answer of one read, asked for again until it comes or `patienceMs` are over: the value, or null when Stripe says that there is no such
 * object. Throws StripeUnanswered, and the signal's reason when `stopping` is aborted.
 */
export async function readPatiently<T>(
  read: () => Promise<StripeOutcome<T>>,
  { patienceMs, stopping, alive }: Patience,
): Promise<T | null> {
  const deadline = performance.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    stopping.throwIfAborted();
    const outcome = await read();
    alive();
    if (outcome.kind === 'ok') return outcome.value;
    if (outcome.kind === 'not_found') return null;
    const wait = Math.max(pause, 'retryAfterMs' in outcome ? Math.min(outcome.retryAfterMs, LONGEST_PAUSE_MS) : 0);
    if (performance.now() + wait >= deadline) throw new StripeUnanswered(outcome.kind);
    await delay(wait, undefined, { signal: stopping });
  }
}
