/** Times are epoch milliseconds, handed in by the caller. */
export interface BreakerRules {
  /** Opens at this many failures in the window … */
  threshold: number;
  /** … if they are at least this share of all calls in it. */
  ratio: number;
  windowMs: number;
  /** From opening to the first probe, and from a failed probe to the next. */
  recoveryMs: number;
}

export const DEFAULT_BREAKER_RULES: BreakerRules = { threshold: 5, ratio: 0.5, windowMs: 60_000, recoveryMs: 30_000 };

interface Sample {
  at: number;
  failed: boolean;
}

export type BreakerState =
  | { state: 'closed'; samples: readonly Sample[] }
  | { state: 'open'; openedAt: number; retryAt: number }
  | { state: 'half_open'; probeUntil: number };

export const closedBreaker: BreakerState = { state: 'closed', samples: [] };

export type Admission = { admit: true; probe: boolean; next: BreakerState } | { admit: false; retryAfterMs: number };

/** Whether a call may start now. After the recovery time one call is let through as a probe; a probe that never reports frees its place after another recovery time. */
export function admit(breaker: BreakerState, rules: BreakerRules, now: number): Admission {
  switch (breaker.state) {
    case 'closed':
      return { admit: true, probe: false, next: breaker };
    case 'open':
      if (now < breaker.retryAt) return { admit: false, retryAfterMs: breaker.retryAt - now };
      return { admit: true, probe: true, next: { state: 'half_open', probeUntil: now + rules.recoveryMs } };
    case 'half_open':
      if (now < breaker.probeUntil) return { admit: false, retryAfterMs: breaker.probeUntil - now };
      return { admit: true, probe: true, next: { state: 'half_open', probeUntil: now + rules.recoveryMs } };
    default:
      return breaker satisfies never;
  }
}

/** What a finished call teaches. Only a probe's verdict counts while half open; a call that was under way when the breaker opened changes nothing. */
export function report(breaker: BreakerState, rules: BreakerRules, call: { failed: boolean; probe: boolean }, now: number): BreakerState {
  switch (breaker.state) {
    case 'closed':
      return afterSample(breaker.samples, rules, { at: now, failed: call.failed }, now);
    case 'open':
      return breaker;
    case 'half_open':
      if (!call.probe) return breaker;
      return call.failed ? opened(rules, now) : closedBreaker;
    default:
      return breaker satisfies never;
  }
}

function afterSample(samples: readonly Sample[], rules: BreakerRules, sample: Sample, now: number): BreakerState {
  const recent = [...samples.filter((s) => s.at > now - rules.windowMs), sample];
  const failures = recent.filter((s) => s.failed).length;
  const opens = sample.failed && failures >= rules.threshold && failures >= rules.ratio * recent.length;
  return opens ? opened(rules, now) : { state: 'closed', samples: recent };
}

const opened = (rules: BreakerRules, now: number): BreakerState => ({ state: 'open', openedAt: now, retryAt: now + rules.recoveryMs });
