import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  admit,
  type BreakerState,
  closedBreaker,
  DEFAULT_BREAKER_RULES as rules,
  leaseProbe,
  reportCalls,
  reportProbe,
  slotMs,
} from './breaker.js';

const ok = { calls: 1, failures: 0 };
const failed = { calls: 1, failures: 1 };
const after = (calls: { calls: number; failures: number }[], from: BreakerState = closedBreaker, start = 0): BreakerState =>
  calls.reduce((state, call, i) => reportCalls(state, rules, call, start + i), from);

describe('When closed', () => {
  it('admits', () => {
    expect(admit(closedBreaker, rules, 0)).toEqual({ admit: true });
  });

  it('stays closed on four failures', () => {
    expect(after([failed, failed, failed, failed]).state).toBe('closed');
  });

  it('opens on the fifth failure within the window', () => {
    expect(after([failed, failed, failed, failed, failed])).toEqual({ state: 'open', retryAt: 30_004 });
  });

  it('opens on failures that are told together', () => {
    expect(after([{ calls: 9, failures: 5 }]).state).toBe('open');
  });

  it('stays closed while failures are less than half of the calls', () => {
    expect(after([ok, ok, ok, ok, ok, ok, failed, failed, failed, failed, failed]).state).toBe('closed');
    expect(after([{ calls: 10, failures: 4 }, failed]).state).toBe('closed');
  });

  it('forgets what is older than the window', () => {
    expect(reportCalls(after([failed, failed, failed, failed]), rules, failed, 60_004).state).toBe('closed');
  });

  it('counts in slots of 3 s, shorter where the window is short', () => {
    expect(slotMs(rules)).toBe(3000);
    expect(slotMs({ ...rules, windowMs: 3_600_000 })).toBe(3000);
    expect(slotMs({ ...rules, windowMs: 2000 })).toBe(100);
  });
});

describe('When open', () => {
  const open: BreakerState = { state: 'open', retryAt: 30_000 };

  it('refuses and says how long until a probe', () => {
    expect(admit(open, rules, 10_000)).toEqual({ admit: false, retryAfterMs: 20_000 });
    expect(leaseProbe(open, rules, 'p1', 29_999)).toBeNull();
  });

  it('leases exactly one probe then', () => {
    const half = leaseProbe(open, rules, 'p1', 30_000);
    expect(half).toEqual({ state: 'half_open', probe: 'p1', retryAt: 60_000 });
    expect(leaseProbe(half as BreakerState, rules, 'p2', 30_001)).toBeNull();
  });

  it('leases one when the clock was set back, and none a moment early', () => {
    expect(leaseProbe(open, rules, 'p1', -5_001)).toMatchObject({ state: 'half_open', retryAt: 24_999 });
    expect(leaseProbe(open, rules, 'p1', -5_000)).toBeNull();
  });

  it('ignores calls that were under way', () => {
    expect(reportCalls(open, rules, ok, 5)).toBe(open);
    expect(reportProbe(open, rules, { probe: 'p1', failed: false }, 5)).toBe(open);
  });
});

describe('When half open', () => {
  const half: BreakerState = { state: 'half_open', probe: 'p1', retryAt: 60_000 };

  it('closes when the probe succeeds', () => {
    expect(reportProbe(half, rules, { probe: 'p1', failed: false }, 31_000)).toEqual(closedBreaker);
  });

  it('opens again when the probe fails', () => {
    expect(reportProbe(half, rules, { probe: 'p1', failed: true }, 31_000)).toEqual({ state: 'open', retryAt: 61_000 });
  });

  it('ignores everybody else', () => {
    expect(reportProbe(half, rules, { probe: 'p0', failed: false }, 31_000)).toBe(half);
    expect(reportCalls(half, rules, failed, 31_000)).toBe(half);
  });

  it('gives up on a probe that never reports', () => {
    expect(leaseProbe(half, rules, 'p2', 60_000)).toMatchObject({ probe: 'p2', retryAt: 90_000 });
  });
});

describe.each<BreakerState>([{ state: 'isolated' }, { state: 'auth' }])('When $state', (state) => {
  it('admits nothing, however long it lasts, and learns nothing', () => {
    expect(admit(state, rules, 1e12)).toEqual({ admit: false, retryAfterMs: 30_000 });
    expect(leaseProbe(state, rules, 'p1', 1e12)).toBeNull();
    expect(reportCalls(state, rules, failed, 0)).toBe(state);
    expect(reportProbe(state, rules, { probe: 'p1', failed: false }, 0)).toBe(state);
  });
});

describe('Whatever happens', () => {
  it('never admits two calls within one recovery time once it is open', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(40_000), reports: fc.boolean() }), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(steps, (calls) => {
        let state = after([failed, failed, failed, failed, failed]);
        let now = 10;
        let lastProbe = -Infinity;
        for (const [index, { wait, reports }] of calls.entries()) {
          now += wait;
          const half = leaseProbe(state, rules, `p${index}`, now);
          if (!half) continue;
          if (now - lastProbe < rules.recoveryMs) return false;
          lastProbe = now;
          state = reports ? reportProbe(half, rules, { probe: `p${index}`, failed: true }, now) : half;
        }
        return true;
      }),
    );
  });
});
