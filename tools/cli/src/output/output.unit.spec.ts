import { describe, expect, it } from '@jest/globals';
import { money } from './money.js';
import { movingLine } from './moving.js';
import { paint } from './paint.js';
import { facts, table } from './table.js';
import { at, duration, durationSeconds, pastTimeOrAge, timeOrAge } from './time.js';

describe('A duration', () => {
  it.each([
    ['90', 90],
    ['30m', 1800],
    ['2h', 7200],
    ['7d', 604_800],
  ])('%s is %i seconds', (text, seconds) => expect(durationSeconds(text)).toBe(seconds));

  it.each(['', '1w', '-5m', '1.5h', 'soon'])('%j is refused', (text) => expect(() => durationSeconds(text)).toThrow('30m, 2h'));

  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [725, '12 m 5 s'],
    [3600, '1 h'],
    [273_600, '3 d 4 h'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});

describe('A time', () => {
  it.each([
    ['2026-11-21', '2026-11-21T00:00:00.000Z'],
    ['2026-11-21T06:00:00+01:00', '2026-11-21T05:00:00.000Z'],
  ])('%s is %s', (text, time) => expect(timeOrAge(text)).toBe(time));

  it('may be an age', () => {
    expect(Math.abs(Date.now() - 7_200_000 - Date.parse(timeOrAge('2h')))).toBeLessThan(5000);
  });

  it.each(['', 'yesterday', '5', '2026-13-01', '2026-02-31', '2026-11-21 soon', '2026-11-21T06:00:00', '2026-11-21T06:00'])(
    '%j is refused',
    (text) => expect(() => timeOrAge(text)).toThrow('Write a time'),
  );

  it('may be one that has been', () => {
    expect(() => timeOrAge('999999d')).toThrow('That is too long ago.');
    expect(() => pastTimeOrAge('2999-01-01')).toThrow('That is in the future.');
    const [near, far] = [50_000, 70_000].map((ms) => new Date(Date.now() + ms).toISOString());
    expect(pastTimeOrAge(near!)).toBe(near);
    expect(() => pastTimeOrAge(far!)).toThrow('That is in the future.');
    expect(pastTimeOrAge('2026-11-21')).toBe('2026-11-21T00:00:00.000Z');
  });
});

describe('What is printed', () => {
  it('is aligned for eyes and for awk', () => {
    expect(
      table(
        ['A', 'LONG'],
        [
          ['wide cell', 1],
          ['x', null],
        ],
      ),
    ).toBe('A          LONG\nwide cell  1\nx          -\n');
    expect(
      facts([
        ['a', 1],
        ['long', ''],
      ]),
    ).toBe('a     1\nlong  -\n');
  });

  it('has amounts with the decimals of their currency, and times to the second', () => {
    expect([money(4200, 'usd'), money(700, 'jpy'), money(1230, 'kwd')]).toEqual(['42.00 USD', '700 JPY', '1.230 KWD']);
    // Unicode has none for it; Stripe counts in hundredths.
    expect([money(420_000, 'huf'), money(100_000, 'isk')]).toEqual(['4200.00 HUF', '1000.00 ISK']);
    expect(at('2026-11-21T12:00:00.123Z')).toBe('2026-11-21 12:00:00Z');
  });

  it('is coloured only where colours are wanted', () => {
    expect(paint(false).bad('no')).toBe('no');
    expect(paint(true).bad('no')).toBe('\u001b[31mno\u001b[39m');
  });
});

describe('A line that moves', () => {
  it('stays one line, however long what is said and however narrow the terminal', () => {
    const written: string[] = [];
    const line = movingLine({ write: (text: string) => written.push(text), columns: 12 }, `Comparing\nwith ${'Stripe'.repeat(9)}`);
    line.end('Compared');
    expect(written).toEqual([`\r\u001b[2K⠋ Comparing`, `\r\u001b[2KCompared\n`]);
  });
});
