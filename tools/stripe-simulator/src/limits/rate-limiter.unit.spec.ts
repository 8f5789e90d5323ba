import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../clock/virtual-clock.js';
import { RateLimiter } from './rate-limiter.js';
import { DOCUMENTED_RATE_LIMITS, type RateLimits } from './rate-limits.js';

const limiter = (limits: RateLimits, clock = new VirtualClock()): RateLimiter => new RateLimiter(limits, clock);
const from = (operation: string, id = '', account = 'acct'): { account: string; operation: string; id: string } => ({
  account,
  operation,
  id,
});
/** Sends `count` requests in one millisecond and says how each fared. */
const burst = (subject: RateLimiter, count: number, operation: string, nowMs = 0): string[] =>
  Array.from({ length: count }, () => {
    const entered = subject.enter(from(operation), nowMs);
    if (typeof entered === 'string') return entered;
    entered.leave();
    return 'in';
  });
const refused = (seen: readonly string[]): string[] => seen.filter((one) => one !== 'in');

describe('The rate limiter', () => {
  it("lets a second's worth through an endpoint, then refuses, and refills evenly", () => {
    const subject = limiter({ endpointPerSecond: 25 });
    expect(refused(burst(subject, 30, 'GET /v1/a'))).toEqual(Array(5).fill('endpoint-rate'));
    expect(refused(burst(subject, 10, 'GET /v1/a', 200))).toHaveLength(5);
    expect(refused(burst(subject, 30, 'GET /v1/a', 60_000))).toHaveLength(5);
  });

  it('counts endpoints apart, and all of them for the account', () => {
    const subject = limiter({ accountPerSecond: 30, endpointPerSecond: 20 });
    expect(refused(burst(subject, 20, 'GET /v1/a'))).toEqual([]);
    expect(refused(burst(subject, 20, 'GET /v1/b'))).toEqual(Array(10).fill('global-rate'));
  });

  it('counts accounts apart', () => {
    const subject = limiter({ accountPerSecond: 1 });
    expect(typeof subject.enter(from('GET /v1/a', '', 'one'), 0)).toBe('object');
    expect(typeof subject.enter(from('GET /v1/a', '', 'other'), 0)).toBe('object');
    expect(subject.enter(from('GET /v1/a', '', 'one'), 0)).toBe('global-rate');
  });

  it('bounds what runs at the same time', () => {
    const subject = limiter({ accountConcurrent: 2, endpointConcurrent: 1 });
    const first = subject.enter(from('GET /v1/a'), 0);
    expect(subject.enter(from('GET /v1/a'), 0)).toBe('endpoint-concurrency');
    subject.enter(from('GET /v1/b'), 0);
    expect(subject.enter(from('GET /v1/c'), 0)).toBe('global-concurrency');
    if (typeof first !== 'string') first.leave();
    expect(typeof subject.enter(from('GET /v1/a'), 0)).toBe('object');
  });

  it('bounds the changes of one PaymentIntent by the virtual hour', () => {
    const clock = new VirtualClock();
    const subject = limiter({ intentUpdatesPerHour: 2 }, clock);
    const change = (id: string): string => {
      const entered = subject.enter(from('POST /v1/payment_intents/{id}/confirm', id), 0);
      return typeof entered === 'string' ? entered : 'in';
    };
    expect([change('pi_1'), change('pi_1'), change('pi_1'), change('pi_2')]).toEqual(['in', 'in', 'resource-specific', 'in']);
    clock.advance(3_600);
    expect(change('pi_1')).toBe('in');
  });

  it("knows Stripe's documented rates", () => {
    expect(refused(burst(limiter(DOCUMENTED_RATE_LIMITS.sandbox), 26, 'GET /v1/a'))).toEqual(['global-rate']);
    expect(refused(burst(limiter(DOCUMENTED_RATE_LIMITS.live), 26, 'GET /v1/a'))).toEqual(['endpoint-rate']);
  });
});
