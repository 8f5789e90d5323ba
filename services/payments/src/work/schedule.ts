import { backOff, scheduled } from '@tidegate/resilience/back-off';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** When to look for a missing answer, counted in rounds; the first round is at once, in the run that missed it. */
const LOOK_UPS = [0, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 60 * MINUTE];
/** When to try a call again that certainly had no effect; then as slowly as the look-ups. */
const RETRIES = [2 * SECOND, 4 * SECOND, 8 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE];

/** The next look-up after `rounds` that told nothing, at least one. */
export const nextLookUp = (now: Date, rounds: number): Date => new Date(now.getTime() + scheduled(LOOK_UPS, rounds));

/** The next try after `attempts` refusals, not before Stripe or the breaker asked for. */
export const nextRetry = (now: Date, attempts: number, retryAfterMs: number, random: number): Date =>
  new Date(now.getTime() + Math.max(retryAfterMs, backOff(RETRIES, attempts, random)));

export const earlier = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b < a) ? b : a);
