import { LISTED_SECONDS } from './window.decide.js';

/** How the sweep stands; all in seconds. */
export interface Standing {
  behindSeconds: number;
  /** Until Stripe no longer lists what was not read. */
  runwaySeconds: number;
  overdue: boolean;
  unlistedSeconds: number;
}

export function standingAt(cursor: { sweptUntil: Date; unlistedSeconds: number }, now: Date, alarmSeconds: number): Standing {
  const behindSeconds = Math.max(0, (now.getTime() - cursor.sweptUntil.getTime()) / 1000);
  return {
    behindSeconds,
    runwaySeconds: Math.max(0, LISTED_SECONDS - behindSeconds),
    overdue: behindSeconds > alarmSeconds,
    unlistedSeconds: cursor.unlistedSeconds,
  };
}
