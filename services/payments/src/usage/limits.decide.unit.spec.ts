import { describe, expect, it } from '@jest/globals';
import { decideUse } from './limits.decide.js';
import { calendarPeriod, periodOf } from './period.decide.js';

const NOW = new Date('2026-12-31T23:59:59.999Z');

describe('More usage', () => {
  it('is allowed without a limit, and up to every one there is', () => {
    expect(decideUse([], '5', NOW).decision).toBe('allow');
    const limits = [
      { period: 'day', limit: '10', used: '9.9' },
      { period: 'month', limit: '100', used: '0' },
    ] as const;
    expect(decideUse(limits, '0.1', NOW).decision).toBe('allow');
    expect(decideUse(limits, '0.2', NOW).decision).toBe('deny');
    expect(decideUse([{ period: 'day', limit: '10', used: '12' }], '0', NOW)).toMatchObject({
      decision: 'deny',
      limits: [{ remaining: '0' }],
    });
  });

  it('has room again when the period ends', () => {
    const ends = (['hour', 'day', 'month'] as const).map((period) => calendarPeriod(period, NOW).to.toISOString());
    expect(ends).toEqual(Array.from({ length: 3 }, () => '2027-01-01T00:00:00.000Z'));
  });
});

describe('The period of a query', () => {
  it('is this month, or from one full hour to a later one', () => {
    expect(periodOf({}, NOW)).toEqual({ from: new Date('2026-12-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') });
    expect(periodOf({ from: '2026-12-02T10:00:00Z', to: '2026-12-02T10:00:00Z' }, NOW)).toMatchObject({ path: 'to' });
    expect(periodOf({ from: '2026-12-02T10:00:01Z' }, NOW)).toMatchObject({ path: 'from' });
  });
});
