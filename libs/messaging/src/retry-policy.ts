import { PermanentFailure, TransientFailure } from './incoming.js';
import { type Verdict } from './inbox-lanes.js';

export interface RetryPolicy {
  firstRetryMs: number;
  longestRetryMs: number;
  giveUpAfterMs: number;
}

/** Below this many failures a message is not given up, however much time has passed between two of them. */
const FEWEST_FAILURES = 10;
const LONGEST_ASKED_MS = 24 * 3_600_000;

/**
 * What to do after a failed attempt. Permanent: dead. Anything else: again after a pause that doubles from the first to the longest, with a fifth of
 * jitter, or when the failure itself asks for; dead once it has failed for `giveUpAfterMs`.
 * @param failures failed attempts before this one. @param random from 0 to 1.
 */
export function verdictOn(
  error: unknown,
  past: { failures: number; firstFailedAt: Date | null },
  now: Date,
  policy: RetryPolicy,
  random: number,
): Verdict {
  if (error instanceof PermanentFailure) return { kind: 'dead' };
  const failingForMs = past.firstFailedAt ? now.getTime() - past.firstFailedAt.getTime() : 0;
  if (failingForMs >= policy.giveUpAfterMs && past.failures >= FEWEST_FAILURES) return { kind: 'dead' };
  const asked = error instanceof TransientFailure ? error.retryAfterMs : undefined;
  const doubled = Math.min(policy.longestRetryMs, policy.firstRetryMs * 2 ** Math.min(past.failures, 40));
  const pause = asked === undefined ? doubled * (0.9 + 0.2 * random) : Math.min(asked, LONGEST_ASKED_MS);
  return { kind: 'retry', dueAt: new Date(now.getTime() + pause) };
}
