import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { latestUpTo, nextAfter, parseCron } from './cron.decide.js';

const next = (line: string, after: string) => nextAfter(parseCron(line)!, new Date(after))?.toISOString();

describe('The next time of a crontab line', () => {
  it.each([
    ['0 2 * * *', '2026-11-21T01:59:59Z', '2026-11-21T02:00:00.000Z'],
    ['0 2 * * *', '2026-11-21T02:00:00Z', '2026-11-22T02:00:00.000Z'],
    ['*/15 * * * *', '2026-11-21T23:50:00Z', '2026-11-22T00:00:00.000Z'],
    ['30 6,18 * * *', '2026-11-21T07:00:00Z', '2026-11-21T18:30:00.000Z'],
    ['0 9 * * 1-5', '2026-11-21T00:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['0 0 * * 7', '2026-11-21T00:00:00Z', '2026-11-22T00:00:00.000Z'],
    ['0 0 1 * *', '2026-11-21T00:00:00Z', '2026-12-01T00:00:00.000Z'],
    ['0 0 1 * 1', '2026-11-21T00:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['5/20 0 * * *', '2026-11-21T00:05:00Z', '2026-11-21T00:25:00.000Z'],
    ['0 0 29 2 *', '2026-11-21T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ])('%s after %s is %s', (line, after, time) => expect(next(line, after)).toBe(time));

  it('never comes for the 31st of February', () => expect(next('0 0 31 2 *', '2026-11-21T00:00:00Z')).toBeUndefined());

  it.each([
    '',
    '0 2 * *',
    '60 2 * * *',
    '0 24 * * *',
    '0 2 0 * *',
    '0 2 * 13 *',
    '0 2 * * 8',
    '@daily',
    '5-1 * * * *',
    '*/0 * * * *',
    'a b c d e',
  ])('%j is no crontab line', (line) => expect(parseCron(line)).toBeNull());

  it('and the latest one are neighbours, whatever the line', () => {
    const number = (from: number, to: number) => fc.oneof(fc.constant('*'), fc.integer({ min: from, max: to }).map(String));
    const lines = fc.tuple(number(0, 59), number(0, 23), fc.constant('*'), number(1, 12), number(0, 6)).map((fields) => fields.join(' '));
    fc.assert(
      fc.property(lines, fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }), (line, seconds) => {
        const cron = parseCron(line)!;
        const now = new Date(seconds * 1000);
        const [before, after] = [latestUpTo(cron, now)!, nextAfter(cron, now)!];
        expect(before.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(after.getTime()).toBeGreaterThan(now.getTime());
        expect(nextAfter(cron, before)).toEqual(after);
        expect(latestUpTo(cron, after)).toEqual(after);
      }),
      { numRuns: 50 },
    );
  });
});
