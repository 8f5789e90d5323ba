import { type Cron, latestUpTo } from './cron.decide.js';

/** What the schedule needs to know of a run that it made. */
export interface MadeRun {
  status: 'running' | 'succeeded' | 'failed';
  created_at: Date;
  finished_at: Date | null;
  /** Unix seconds. */
  lt: number;
}

/** A run that is due: what makes its id, and the time that it looks at. */
export interface DueRun {
  trigger: 'daily' | 'rolling';
  /** The same for everyone who finds it due, so that it is made once. */
  slot: string;
  start_date: string;
  end_date: string;
  /** Unix seconds; absent where the days are the period. */
  period?: { gte: number; lt: number };
}

const MOST_TRIES = 3;
const RETRY_MS = 60_000;
const DAY_SECONDS = 86_400;
const DAY_MS = DAY_SECONDS * 1000;
/** What was not compared for longer is for a person to look at. */
const MOST_DAYS = 31;

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/**
 * The daily run that is due: at the crontab's times, of the days before and today so far, and of the days since the last one that succeeded, or the installation; when it
 * fails, again after a minute and after two more, three times in all. The last try does without those days: there may be more of them than can be read within its time.
 * Null while one is running, and for times from before the installation. `made`: the daily runs, newest first.
 */
export function dueDaily(cron: Cron, days: number, now: Date, installedAt: Date, made: readonly MadeRun[]): DueRun | null {
  const due = latestUpTo(cron, now);
  if (due === null || due <= installedAt) return null;
  const tries = made.filter((run) => run.created_at >= due);
  if (made.some((run) => run.status === 'running') || tries.some((run) => run.status === 'succeeded') || tries.length >= MOST_TRIES)
    return null;
  const last = tries[0]?.finished_at ?? null;
  if (last !== null && now.getTime() < last.getTime() + tries.length * RETRY_MS) return null;
  const usual = due.getTime() - days * DAY_MS;
  const succeeded = made.find((run) => run.status === 'succeeded');
  const readUpTo = succeeded ? succeeded.lt * 1000 : installedAt.getTime();
  const before = latestUpTo(cron, new Date(due.getTime() - 1));
  const since = before !== null && readUpTo < before.getTime() ? readUpTo - days * DAY_MS : readUpTo;
  const isLastTry = tries.length === MOST_TRIES - 1;
  const start = new Date(isLastTry ? usual : Math.min(usual, Math.max(since, due.getTime() - MOST_DAYS * DAY_MS)));
  return { trigger: 'daily', slot: `${due.toISOString()}#${tries.length + 1}`, start_date: dayOf(start), end_date: dayOf(due) };
}

/**
 * The rolling compare that is due: each `everySeconds`, of what was made in twice that time and since the last one that succeeded, at most a day; what is older is
 * the daily run's. Null while one is running.
 */
export function dueRolling(everySeconds: number, now: Date, installedAt: Date, made: readonly MadeRun[]): DueRun | null {
  const newest = made[0];
  if (newest?.status === 'running' || now.getTime() < (newest?.created_at ?? installedAt).getTime() + everySeconds * 1000) return null;
  const lt = Math.floor(now.getTime() / 1000);
  const readUpTo = made.find((run) => run.status === 'succeeded')?.lt ?? lt;
  const gte = Math.max(lt - DAY_SECONDS, Math.min(lt - 2 * everySeconds, readUpTo - everySeconds));
  const slot = String(Math.floor(lt / everySeconds));
  return { trigger: 'rolling', slot, start_date: dayOf(new Date(gte * 1000)), end_date: dayOf(now), period: { gte, lt } };
}
