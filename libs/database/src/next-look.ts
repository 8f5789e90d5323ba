/** Processes that were started together do not look together. */
const PHASE_MS = 60_000 * Math.random();

/** Milliseconds until those of this process who look each `everyMs` look again, all in the same moment. */
export const untilNextLook = (everyMs: number): number => everyMs - ((performance.now() + PHASE_MS) % everyMs);
