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

/** Calls that ended within one twentieth of the window: counting them together keeps the cost of a call independent of how many there were. */
interface Slot {
  startedAt: number;
  calls: number;
  failures: number;
}

const SLOTS = 20;

export type BreakerState =
  | { state: 'closed'; slots: readonly Slot[] }
  | { state: 'open'; openedAt: number; retryAt: number }
  | { state: 'half_open'; probeUntil: number };

export const closedBreaker: BreakerState = { state: 'closed', slots: [] };

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
      return afterCall(breaker.slots, rules, call.failed, now);
    case 'open':
      return breaker;
    case 'half_open':
      if (!call.probe) return breaker;
      return call.failed ? opened(rules, now) : closedBreaker;
    default:
      return breaker satisfies never;
  }
}

function afterCall(slots: readonly Slot[], rules: BreakerRules, failed: boolean, now: number): BreakerState {
  const recent = counted(slots, rules, failed, now);
  if (!failed) return { state: 'closed', slots: recent };
  const calls = recent.reduce((sum, slot) => sum + slot.calls, 0);
  const failures = recent.reduce((sum, slot) => sum + slot.failures, 0);
  return failures >= rules.threshold && failures >= rules.ratio * calls ? opened(rules, now) : { state: 'closed', slots: recent };
}

/** The slots of the window with one more call in the newest. */
function counted(slots: readonly Slot[], rules: BreakerRules, failed: boolean, now: number): Slot[] {
  const recent = slots.filter((slot) => slot.startedAt > now - rules.windowMs);
  const last = recent.at(-1);
  const added = { calls: 1, failures: failed ? 1 : 0 };
  if (!last || now >= last.startedAt + rules.windowMs / SLOTS) return [...recent, { startedAt: now, ...added }];
  return [...recent.slice(0, -1), { startedAt: last.startedAt, calls: last.calls + added.calls, failures: last.failures + added.failures }];
}

const opened = (rules: BreakerRules, now: number): BreakerState => ({ state: 'open', openedAt: now, retryAt: now + rules.recoveryMs });
