import { remembered } from './remembered.js';

/** The calendar year at `instant` in an IANA zone: the year that a receipt issued then is numbered in. */
export function yearInZone(instant: Date, zone: string): number {
  return Number(yearsOf(zone).format(instant));
}

/** `21 November 2026` as the locale writes it, the day being that of the zone. */
export function dateText(instant: Date, zone: string, locale: string): string {
  return datesOf(zone, locale).format(instant);
}

/** The zone when this runtime knows it, else UTC: a tenant's spelling mistake must not stop its receipts. */
export function knownZone(zone: string): string {
  try {
    yearsOf(zone);
    return zone;
  } catch {
    return 'UTC';
  }
}

const yearsOf = remembered(
  (zone: string) => new Intl.DateTimeFormat('en', { timeZone: zone, year: 'numeric', calendar: 'gregory', numberingSystem: 'latn' }),
);
const datesOf = remembered(
  (zone: string, locale: string) => new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'long', calendar: 'gregory' }),
);
