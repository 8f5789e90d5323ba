import { InvalidArgumentError } from 'commander';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `30m`, `2h`, `90s`, `7d` as seconds; a bare number is seconds. */
export function durationSeconds(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Write it as 30m, 2h, 90s or 7d.');
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS];
}

/** A day, which begins in UTC, or a time that names its zone. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** A time in RFC 3339, or an age such as 2h, as a time in UTC. */
export function timeOrAge(text: string): string {
  if (/^\d{1,9}[smhd]$/.test(text)) return ago(durationSeconds(text));
  const time = new Date(TIME.test(text) && isDay(text.slice(0, 10)) ? text : Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('Write a time as 2026-11-21 or 2026-11-21T06:00:00Z, or an age as 30m, 2h, 7d.');
  return time.toISOString();
}

/** By how much the clocks of two machines may differ. */
const CLOCK_SKEW_MS = 60_000;

/** The same, but for what has been, by whichever clock: what another machine wrote a moment ago may be ahead of this one. */
export function pastTimeOrAge(text: string): string {
  const time = timeOrAge(text);
  if (Date.parse(time) > Date.now() + CLOCK_SKEW_MS) throw new InvalidArgumentError('That is in the future.');
  return time;
}

function ago(seconds: number): string {
  const time = Date.now() - seconds * 1000;
  if (time < 0) throw new InvalidArgumentError('That is too long ago.');
  return new Date(time).toISOString();
}

/** No 31st of February, of which Date makes a day in March. */
export function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Seconds in the largest unit that leaves at least one, and the next: `3 d 4 h`, `12 m 5 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = (['d', 'h', 'm', 's'] as const).map((unit, i, all) => {
    const above = all[i - 1];
    return { unit, n: Math.floor((above ? whole % SECONDS[above] : whole) / SECONDS[unit]) };
  });
  const first = parts.findIndex(({ n }) => n > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(({ n }) => n > 0)
    .map(({ unit, n }) => `${n} ${unit}`)
    .join(' ');
}

/** A whole number of rows to show. */
export function count(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It must be a whole number from 1 to 99999.');
  return Number(text);
}

/** A time in UTC to the second, as people write it. */
export const at = (iso: string | null): string => (iso === null ? '-' : iso.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z'));
