/**
 * A wait for the `attempt`-th try (0 = first): the listed delay, the last one for ever after, spread over its upper half so that many waiters
 * do not return together. `random` is in [0, 1). Milliseconds.
 */
export function backOff(schedule: readonly number[], attempt: number, random: number): number {
  const delay = schedule[Math.min(attempt, schedule.length - 1)];
  if (delay === undefined) throw new RangeError('Bug: an empty schedule');
  return Math.round(delay / 2 + (delay / 2) * random);
}

/** The listed delay without jitter, the last one for ever after. */
export function scheduled(schedule: readonly number[], attempt: number): number {
  const delay = schedule[Math.min(attempt, schedule.length - 1)];
  if (delay === undefined) throw new RangeError('Bug: an empty schedule');
  return delay;
}
