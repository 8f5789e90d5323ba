import { describe, expect, it } from '@jest/globals';
import { type Outcome, summary } from './outcome.decide.js';

const report = (consumer: string, outcome: Outcome, reason: string | null = null) => ({ consumer, outcome, reason });

describe('The outcome of an event', () => {
  it('is unknown before anyone reported', () => {
    expect(summary([])).toBeNull();
  });

  it.each<[Outcome, Outcome, Outcome]>([
    ['processed', 'ignored', 'processed'],
    ['processed', 'failed', 'failed'],
    ['foreign', 'processed', 'foreign'],
    ['parked', 'processed', 'parked'],
    ['ignored', 'ignored', 'ignored'],
  ])('of %s and %s is %s, whoever reports first', (one, other, together) => {
    expect(summary([report('payments', one), report('reconciliation', other)])?.outcome).toBe(together);
    expect(summary([report('reconciliation', other), report('payments', one)])?.outcome).toBe(together);
  });

  it('names the consumer that gave the reason', () => {
    expect(summary([report('payments', 'failed', 'no such currency'), report('reconciliation', 'processed')])).toEqual({
      outcome: 'failed',
      error: 'payments: no such currency',
    });
  });
});
