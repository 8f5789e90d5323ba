import { describe, expect, it } from '@jest/globals';
import { parseCron } from './cron.decide.js';
import { dueDaily, dueRolling, type MadeRun } from './schedule.decide.js';

const at = (text: string) => new Date(`2026-11-${text}Z`);
const installed = at('20T12:00:00');
const cron = parseCron('0 2 * * *')!;
const run = (status: MadeRun['status'], created: string, finished: string | null = null, lt = 0): MadeRun => ({
  status,
  created_at: at(created),
  finished_at: finished === null ? null : at(finished),
  lt,
});

describe('The daily run', () => {
  const due = (now: string, made: MadeRun[] = []) => dueDaily(cron, 3, at(now), installed, made);

  it('is due at its time, of the days before and today', () => {
    expect(due('21T02:00:00')).toEqual({
      trigger: 'daily',
      slot: '2026-11-21T02:00:00.000Z#1',
      start_date: '2026-11-18',
      end_date: '2026-11-21',
    });
    expect(due('21T23:00:00')?.slot).toBe('2026-11-21T02:00:00.000Z#1');
  });

  it('is not due again when it has succeeded, nor beside one that is running, also of the day before', () => {
    expect(due('21T03:00:00', [run('succeeded', '21T02:00:01', '21T02:10:00')])).toBeNull();
    expect(due('21T03:00:00', [run('running', '21T02:00:01')])).toBeNull();
    expect(due('22T02:00:00', [run('running', '21T02:00:01')])).toBeNull();
    expect(due('22T02:00:00', [run('succeeded', '21T02:00:01', '21T02:10:00')])?.slot).toBe('2026-11-22T02:00:00.000Z#1');
  });

  it('that failed is tried again, later and later, three times in all', () => {
    const first = run('failed', '21T02:00:01', '21T02:10:00');
    expect(due('21T02:10:59', [first])).toBeNull();
    expect(due('21T02:11:00', [first])?.slot).toBe('2026-11-21T02:00:00.000Z#2');
    const second = run('failed', '21T02:11:00', '21T02:20:00');
    expect(due('21T02:21:30', [second, first])).toBeNull();
    expect(due('21T02:22:00', [second, first])?.slot).toBe('2026-11-21T02:00:00.000Z#3');
    expect(due('21T20:00:00', [run('failed', '21T02:22:00', '21T02:30:00'), second, first])).toBeNull();
  });

  it('looks at the days since the last one that succeeded as well, a month at most', () => {
    const succeeded = run('succeeded', '14T02:00:01', '14T02:10:00', at('14T02:00:01').getTime() / 1000);
    const failed = run('failed', '20T02:00:01', '20T02:10:00', at('20T02:00:01').getTime() / 1000);
    expect(due('21T02:00:00', [failed, succeeded])).toMatchObject({ start_date: '2026-11-11', end_date: '2026-11-21' });
    const longAgo = run('succeeded', '01T02:00:01', '01T02:10:00', at('01T02:00:01').getTime() / 1000 - 90 * 86_400);
    expect(due('21T02:00:00', [failed, longAgo])).toMatchObject({ start_date: '2026-10-21', end_date: '2026-11-21' });
  });

  it('looks at no other days when none was missed, and leaves none out between one time and the next', () => {
    const yesterday = run('succeeded', '21T02:00:01', '21T02:10:00', at('21T02:00:01').getTime() / 1000);
    expect(due('22T02:00:00', [yesterday])).toMatchObject({ start_date: '2026-11-19', end_date: '2026-11-22' });
    const sundays = parseCron('0 2 * * 0')!;
    const lastWeek = run('succeeded', '15T02:00:01', '15T02:10:00', at('15T02:00:01').getTime() / 1000);
    expect(dueDaily(sundays, 3, at('22T02:00:00'), installed, [lastWeek])).toMatchObject({
      start_date: '2026-11-15',
      end_date: '2026-11-22',
    });
  });

  it('does without them in its last try, so that too many of them do not keep it from yesterday', () => {
    const succeeded = run('succeeded', '14T02:00:01', '14T02:10:00', at('14T02:00:01').getTime() / 1000);
    const first = run('failed', '21T02:00:01', '21T03:00:01');
    const second = run('failed', '21T03:01:01', '21T04:01:01');
    expect(due('21T03:01:01', [first, succeeded])).toMatchObject({ start_date: '2026-11-11' });
    expect(due('21T04:03:01', [second, first, succeeded])).toMatchObject({ start_date: '2026-11-18', slot: '2026-11-21T02:00:00.000Z#3' });
  });

  it('looks at the days since the installation when none has succeeded yet', () => {
    const failed = run('failed', '20T02:00:01', '20T02:10:00', at('20T02:00:01').getTime() / 1000);
    expect(dueDaily(cron, 3, at('21T02:00:00'), at('12T10:00:00'), [failed])).toMatchObject({ start_date: '2026-11-09' });
  });

  it('is not made up for from before the installation', () => {
    expect(dueDaily(cron, 3, at('21T10:00:00'), at('21T09:00:00'), [])).toBeNull();
  });
});

describe('The rolling compare', () => {
  const seconds = (text: string) => at(text).getTime() / 1000;
  const due = (now: string, made: MadeRun[] = []) => dueRolling(300, at(now), at('21T00:00:00'), made);

  it('is due each five minutes after the installation or the one before, of twice that time', () => {
    expect(due('21T00:04:59')).toBeNull();
    expect(due('21T00:05:00')?.period).toEqual({ gte: seconds('20T23:55:00'), lt: seconds('21T00:05:00') });
    const before = run('succeeded', '21T06:00:00', '21T06:00:02', seconds('21T06:00:00'));
    expect(due('21T06:04:59', [before])).toBeNull();
    expect(due('21T06:05:00', [before])).toMatchObject({ start_date: '2026-11-21', end_date: '2026-11-21' });
  });

  it('looks back to the last one that succeeded, at most a day', () => {
    const failed = run('failed', '21T08:00:00', '21T08:01:00');
    const succeeded = run('succeeded', '21T06:00:00', '21T06:00:02', seconds('21T06:00:00'));
    expect(due('21T08:05:00', [failed, succeeded])?.period?.gte).toBe(seconds('21T05:55:00'));
    expect(due('25T08:05:00', [failed, succeeded])?.period?.gte).toBe(seconds('24T08:05:00'));
  });

  it('waits for one that is running', () => expect(due('21T08:05:00', [run('running', '21T06:00:00')])).toBeNull());
});
