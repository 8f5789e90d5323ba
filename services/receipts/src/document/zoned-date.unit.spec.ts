import { describe, expect, it } from '@jest/globals';
import { dateText, knownZone, yearInZone } from './zoned-date.js';

const newYearInLondon = new Date('2027-01-01T00:00:00.000Z');
const lastSecond = new Date('2026-12-31T23:59:59.999Z');

describe('When the year of a receipt is decided', () => {
  it.each([
    [newYearInLondon, 'UTC', 2027],
    [lastSecond, 'UTC', 2026],
    [lastSecond, 'Pacific/Kiritimati', 2027],
    [lastSecond, 'Asia/Tokyo', 2027],
    [newYearInLondon, 'America/New_York', 2026],
    [newYearInLondon, 'Pacific/Pago_Pago', 2026],
    [new Date('2026-12-31T22:59:59.000Z'), 'Europe/Berlin', 2026],
    [new Date('2026-12-31T23:00:00.000Z'), 'Europe/Berlin', 2027],
  ])('takes %s in %s as %i', (instant, zone, year) => {
    expect(yearInZone(instant, zone)).toBe(year);
  });
});

describe('When the issue date is written out', () => {
  it('is the day that it was where the tenant is', () => {
    expect(dateText(lastSecond, 'UTC', 'en')).toBe('December 31, 2026');
    expect(dateText(lastSecond, 'Asia/Tokyo', 'en-GB')).toBe('1 January 2027');
  });
});

describe('When a tenant has a zone that nobody knows', () => {
  it('counts in UTC', () => {
    expect([knownZone('Mars/Olympus'), knownZone(''), knownZone('Europe/Paris')]).toEqual(['UTC', 'UTC', 'Europe/Paris']);
  });
});
