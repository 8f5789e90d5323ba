import { type LimitPeriod } from '@tidegate/contracts/usage';

const HOUR_MS = 3_600_000;

export interface Period {
  from: Date;
  /** Exclusive. */
  to: Date;
}

/** The calendar hour, day or month (UTC) that `now` is in. */
export function calendarPeriod(period: LimitPeriod, now: Date): Period {
  const [year, month, day, hour] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), now.getUTCHours()];
  switch (period) {
    case 'hour':
      return { from: new Date(Date.UTC(year, month, day, hour)), to: new Date(Date.UTC(year, month, day, hour + 1)) };
    case 'day':
      return { from: new Date(Date.UTC(year, month, day)), to: new Date(Date.UTC(year, month, day + 1)) };
    case 'month':
      return { from: new Date(Date.UTC(year, month, 1)), to: new Date(Date.UTC(year, month + 1, 1)) };
    default:
      return period satisfies never;
  }
}

/** The period that a query asks for: from one full hour to another, this month (UTC) where it does not say; or what is wrong with it. */
export function periodOf({ from, to }: { from?: string; to?: string }, now: Date): Period | { path: string; message: string } {
  const month = calendarPeriod('month', now);
  const period = { from: from === undefined ? month.from : new Date(from), to: to === undefined ? month.to : new Date(to) };
  for (const path of ['from', 'to'] as const)
    if (period[path].getTime() % HOUR_MS !== 0) return { path, message: 'must be a full hour, because usage is counted by the hour' };
  return period.from < period.to ? period : { path: 'to', message: 'must be after from' };
}
