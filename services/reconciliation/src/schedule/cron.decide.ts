/** The times that a crontab line names, in UTC. */
export interface Cron {
  minutes: ReadonlySet<number>;
  hours: ReadonlySet<number>;
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  /** 0 is Sunday. */
  weekdays: ReadonlySet<number>;
  /** Whether days of the month and of the week are both given; then either will do (crontab(5)). */
  eitherDay: boolean;
}

const FIELDS = [
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12 },
  { name: 'day of week', from: 0, to: 7 },
] as const;
const DAY_MS = 86_400_000;
/** The 29th of February comes every eight years at worst. */
const FURTHEST_DAYS = 366 * 8;

/** Five fields of numbers, `*`, ranges, lists and steps, as Kubernetes takes them; null for anything else. ADR 0021 says why it is ours. */
export function parseCron(text: string): Cron | null {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return null;
  const sets = FIELDS.map(({ from, to }, i) => valuesOf(fields[i]!, from, to));
  if (sets.some((set) => set === null)) return null;
  const [minutes, hours, days, months, weekdays] = sets as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const eitherDay = !fields[2]!.startsWith('*') && !fields[4]!.startsWith('*');
  return { minutes, hours, days, months, weekdays: new Set([...weekdays].map((day) => day % 7)), eitherDay };
}

/** The first time after `after`; null when there is none. */
export function nextAfter(cron: Cron, after: Date): Date | null {
  for (let day = 0; day <= FURTHEST_DAYS; day += 1) {
    const found = timesOn(cron, startOfDay(after) + day * DAY_MS).find((time) => time > after.getTime());
    if (found !== undefined) return new Date(found);
  }
  return null;
}

/** The last time that is not after `until`; null when there is none. */
export function latestUpTo(cron: Cron, until: Date): Date | null {
  for (let day = 0; day <= FURTHEST_DAYS; day += 1) {
    const found = timesOn(cron, startOfDay(until) - day * DAY_MS).findLast((time) => time <= until.getTime());
    if (found !== undefined) return new Date(found);
  }
  return null;
}

function valuesOf(field: string, from: number, to: number): Set<number> | null {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [, star, first, last, step] = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    if (star === undefined && first === undefined) return null;
    const low = star ? from : Number(first);
    const high = star || (step !== undefined && last === undefined) ? to : Number(last ?? first);
    const by = Number(step ?? 1);
    if (low < from || high > to || low > high || by === 0) return null;
    for (let value = low; value <= high; value += by) values.add(value);
  }
  return values;
}

/** In order, as milliseconds. */
function timesOn({ minutes, hours, days, months, weekdays, eitherDay }: Cron, dayStart: number): number[] {
  const date = new Date(dayStart);
  const [ofMonth, ofWeek] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  if (!months.has(date.getUTCMonth() + 1) || !(eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek)) return [];
  const inOrder = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b);
  return inOrder(hours).flatMap((hour) => inOrder(minutes).map((minute) => dayStart + (hour * 60 + minute) * 60_000));
}

const startOfDay = (time: Date): number => Math.floor(time.getTime() / DAY_MS) * DAY_MS;
