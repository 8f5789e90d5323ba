import { describe, expect, it } from '@jest/globals';
import { compareHour, type CountedHour } from './compare.decide.js';

const NOW = new Date('2026-11-21T06:30:00.000Z');
const long = new Date(NOW.getTime() - 2 * 3_600_000);
const hour = (change: Partial<CountedHour> = {}): CountedHour => ({
  formula: 'sum',
  value: '10',
  events: 4,
  last_value: '3',
  sent: '10',
  lost: '0',
  open_value: null,
  last_call_at: long,
  latest_sent: 1,
  had: null,
  doubted_since: null,
  is_due: false,
  ...change,
});

describe('An hour beside its summary', () => {
  it.each([
    ['agrees when the sums do', {}, 10, 'agree'],
    ['agrees when the numbers do', { formula: 'count', sent: '4' } as const, 4, 'agree'],
    ['agrees when the latest do', { formula: 'last', sent: '3' } as const, 3, 'agree'],
    ['is pending while a part is not reported', { sent: '6' }, 6, 'pending'],
    ['is pending while a report has no answer, and has arrived', { sent: '6', open_value: '3' }, 9, 'pending'],
    ['is pending for an hour after a report', { last_call_at: new Date(NOW.getTime() - 60_000) }, 7, 'pending'],
    ['agrees when Stripe has what it had before a restore that lost the record', { sent: '15', had: '15' }, 15, 'agree'],
    ['differs when Stripe has less than it had then', { sent: '15', had: '15' }, 12, 'mismatch'],
    ['is pending for an hour after a restore', { doubted_since: new Date(NOW.getTime() - 60_000) }, 15, 'pending'],
    ['is pending after a restore until what is due has been reported', { doubted_since: long, is_due: true }, 15, 'pending'],
    ['differs when a restore may have lost what nobody reports', { doubted_since: long }, 15, 'mismatch'],
    ['differs when Stripe has less than it took', {}, 9, 'mismatch'],
    ['differs when Stripe has more', {}, 11, 'mismatch'],
    ['differs when Stripe has neither what was sent nor more', { sent: '6', open_value: '3' }, 8, 'mismatch'],
    ['differs when some got too old', { sent: '6', lost: '4' }, 6, 'mismatch'],
  ])('%s', (_, change, summary, kind) => {
    expect(compareHour(hour(change), summary, NOW).kind).toBe(kind);
  });

  it.each([
    ['a sum, whatever Stripe has', {}, 11, 'stripe_differs'],
    ['events that Stripe lacks', { formula: 'count', sent: '4' } as const, 3, 'stripe_differs'],
    ['what a restore may have lost, of events too', { formula: 'count', sent: '4', doubted_since: long } as const, 6, 'stripe_differs'],
    ['but none that Stripe has beside them', { formula: 'count', sent: '4' } as const, 5, 'beyond_repair'],
    ['the latest', { formula: 'last', sent: '3' } as const, 5, 'stripe_differs'],
    ['but not for ever', { formula: 'last', sent: '3', latest_sent: 3 } as const, 5, 'beyond_repair'],
  ])('can be put right: %s', (_, change, summary, reason) => {
    expect(compareHour(hour(change), summary, NOW)).toEqual({ kind: 'mismatch', reason });
  });
});
