const FIRST_MS = 1000;
const LONGEST_MS = 300_000;

/** Pause before an event is tried again that could not be published `attempts` times: 1 s, doubling, at most 5 min. */
export const retryAfterMs = (attempts: number): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts, 20));
