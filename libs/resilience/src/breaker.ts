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

/** Calls that ended within one slot of time: counting them together keeps the cost of a call independent of how many there were. */
interface Slot {
  startedAt: number;
  calls: number;
  failures: number;
}

/** `isolated`: a person said so. `auth`: Stripe refuses the key. Both last until something else than time ends them. */
export type BreakerState =
  | { state: 'closed'; slots: readonly Slot[] }
  | { state: 'open'; retryAt: number }
  | { state: 'half_open'; probe: string; retryAt: number }
  | { state: 'isolated' }
  | { state: 'auth' };

export const closedBreaker: BreakerState = { state: 'closed', slots: [] };

export type Admission = { admit: true } | { admit: false; retryAfterMs: number };

/** Length of the slots that calls are counted in: 3 s at a window of a minute, shorter at a shorter one. */
export const slotMs = ({ windowMs }: BreakerRules): number => Math.min(3_000, windowMs / 20);

/** Start of the slot that a time is in; slots are the same in all processes. */
export const slotAt = (rules: BreakerRules, now: number): number => Math.floor(now / slotMs(rules)) * slotMs(rules);

/** Whether a call may start now without being a probe. */
export function admit(breaker: BreakerState, rules: BreakerRules, now: number): Admission {
  switch (breaker.state) {
    case 'closed':
      return { admit: true };
    case 'open':
    case 'half_open':
      return { admit: false, retryAfterMs: Math.max(0, breaker.retryAt - now) };
    case 'isolated':
    case 'auth':
      return { admit: false, retryAfterMs: rules.recoveryMs };
    default:
      return breaker satisfies never;
  }
}

/** A probe that is further away than any recovery time was put there before the clock was set back; it is due. Milliseconds beyond the recovery time. */
export const CLOCK_SET_BACK_MS = 5_000;

const isDue = (retryAt: number, rules: BreakerRules, now: number): boolean =>
  retryAt <= now || retryAt > now + rules.recoveryMs + CLOCK_SET_BACK_MS;

/** The breaker with `probe` as its only admitted call, or null when none is due. A probe that never reports frees its place after another recovery time. */
export function leaseProbe(breaker: BreakerState, rules: BreakerRules, probe: string, now: number): BreakerState | null {
  if ((breaker.state !== 'open' && breaker.state !== 'half_open') || !isDue(breaker.retryAt, rules, now)) return null;
  return { state: 'half_open', probe, retryAt: now + rules.recoveryMs };
}

/** What a probe teaches; the one that holds the lease only, others change nothing. */
export function reportProbe(
  breaker: BreakerState,
  rules: BreakerRules,
  { probe, failed }: { probe: string; failed: boolean },
  now: number,
): BreakerState {
  if (breaker.state !== 'half_open' || breaker.probe !== probe) return breaker;
  return failed ? { state: 'open', retryAt: now + rules.recoveryMs } : closedBreaker;
}

/** What calls teach that were admitted while it was closed: `failures` of `calls`. A call that was under way when the breaker opened changes nothing. */
export function reportCalls(
  breaker: BreakerState,
  rules: BreakerRules,
  added: { calls: number; failures: number },
  now: number,
): BreakerState {
  if (breaker.state !== 'closed') return breaker;
  const slots = counted(breaker.slots, rules, added, now);
  if (added.failures === 0) return { state: 'closed', slots };
  const calls = slots.reduce((sum, slot) => sum + slot.calls, 0);
  const failures = slots.reduce((sum, slot) => sum + slot.failures, 0);
  const opens = failures >= rules.threshold && failures >= rules.ratio * calls;
  return opens ? { state: 'open', retryAt: now + rules.recoveryMs } : { state: 'closed', slots };
}

/** The slots of the window with more calls in the newest. */
function counted(slots: readonly Slot[], rules: BreakerRules, added: { calls: number; failures: number }, now: number): Slot[] {
  const startedAt = slotAt(rules, now);
  const current = slots.find((slot) => slot.startedAt === startedAt) ?? { startedAt, calls: 0, failures: 0 };
  const others = slots.filter((slot) => slot.startedAt > now - rules.windowMs && slot.startedAt !== startedAt);
  return [...others, { startedAt, calls: current.calls + added.calls, failures: current.failures + added.failures }];
}
