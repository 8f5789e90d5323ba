import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { admit, type BreakerState, closedBreaker, DEFAULT_BREAKER_RULES as rules, report } from './breaker.js';

const ok = { failed: false, probe: false };
const failed = { failed: true, probe: false };
const after = (calls: { failed: boolean }[], from: BreakerState = closedBreaker, start = 0): BreakerState =>
  calls.reduce((state, call, i) => report(state, rules, { ...call, probe: false }, start + i), from);

describe('When closed', () => {
  it('stays closed on four failures', () => {
    expect(after([failed, failed, failed, failed]).state).toBe('closed');
  });

  it('opens on the fifth failure within the window', () => {
    expect(after([failed, failed, failed, failed, failed])).toEqual({ state: 'open', openedAt: 4, retryAt: 30_004 });
  });

  it('stays closed while failures are less than half of the calls', () => {
    expect(after([ok, ok, ok, ok, ok, ok, failed, failed, failed, failed, failed]).state).toBe('closed');
  });

  it('forgets what is older than the window', () => {
    expect(report(after([failed, failed, failed, failed]), rules, failed, 60_004).state).toBe('closed');
  });
});

describe('When open', () => {
  const open: BreakerState = { state: 'open', openedAt: 0, retryAt: 30_000 };

  it('refuses until the recovery time and says how long', () => {
    expect(admit(open, rules, 10_000)).toEqual({ admit: false, retryAfterMs: 20_000 });
  });

  it('lets exactly one probe through then', () => {
    const first = admit(open, rules, 30_000);
    expect(first).toMatchObject({ admit: true, probe: true, next: { state: 'half_open' } });
    if (first.admit) expect(admit(first.next, rules, 30_001).admit).toBe(false);
  });

  it('ignores calls that were under way', () => {
    expect(report(open, rules, ok, 5)).toBe(open);
  });
});

describe('When half open', () => {
  const half: BreakerState = { state: 'half_open', probeUntil: 60_000 };

  it('closes when the probe succeeds', () => {
    expect(report(half, rules, { failed: false, probe: true }, 31_000)).toEqual(closedBreaker);
  });

  it('opens again when the probe fails', () => {
    expect(report(half, rules, { failed: true, probe: true }, 31_000)).toMatchObject({ state: 'open', retryAt: 61_000 });
  });

  it('ignores stragglers', () => {
    expect(report(half, rules, ok, 31_000)).toBe(half);
  });

  it('gives up on a probe that never reports', () => {
    expect(admit(half, rules, 60_000)).toMatchObject({ admit: true, probe: true });
  });
});

describe('Whatever happens', () => {
  it('never admits two calls within one recovery time once it is open', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(40_000), failed: fc.constant(true) }), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(steps, (calls) => {
        let state: BreakerState = closedBreaker;
        let now = 0;
        let lastProbe = -Infinity;
        for (const call of calls) {
          now += call.wait;
          const door = admit(state, rules, now);
          if (!door.admit) continue;
          if (state.state !== 'closed') {
            if (now - lastProbe < rules.recoveryMs) return false;
            lastProbe = now;
          }
          state = report(door.next, rules, { failed: call.failed, probe: door.probe }, now);
        }
        return true;
      }),
    );
  });
});
