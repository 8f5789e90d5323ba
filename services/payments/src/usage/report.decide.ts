import { OLDEST_USAGE_MS } from '@tidegate/contracts/usage';
import { type Formula } from '@tidegate/stripe-gateway/meter';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { agrees, unitsOf } from './decimal.js';

const HOUR_MS = 3_600_000;
/** Stripe keeps an identifier for 24 hours at least, so a call is repeated for 23. */
export const IDENTIFIER_LIFE_MS = 23 * HOUR_MS;
/** Summaries follow the events after a while; one is believed that was read this long after the last call. */
export const SUMMARY_LAG_MS = HOUR_MS;
/** Calls need a little time before Stripe finds their timestamp too old. */
const TOO_OLD_MS = OLDEST_USAGE_MS - 10 * 60_000;

/** Whether nothing that was used in an hour can be billed any more. */
export const isTooOld = (hour: Date, now: Date): boolean => hour.getTime() + HOUR_MS <= now.getTime() - OLDEST_USAGE_MS;

/** A row of `usage_reports` that is not certain. */
export interface Report {
  revision: number;
  identifier: string;
  event_id: string | null;
  value: string;
  at: Date;
  state: 'open' | 'settling';
  uncertain_since: Date | null;
  last_call_at: Date | null;
}

export type Step = { kind: 'send' } | { kind: 'settle' } | { kind: 'expire' } | { kind: 'wait'; until: Date };

/** What comes next for a report. Sending again is safe while its identifier certainly protects; later only the summary of its hour can tell. */
export function nextStep(report: Report, now: Date): Step {
  const { state, uncertain_since, last_call_at, at } = report;
  const old = uncertain_since !== null && now.getTime() - uncertain_since.getTime() >= IDENTIFIER_LIFE_MS;
  const unbillable = at.getTime() <= now.getTime() - TOO_OLD_MS;
  if (state === 'settling' || old || (unbillable && uncertain_since !== null)) {
    const readable = (last_call_at?.getTime() ?? 0) + SUMMARY_LAG_MS;
    return readable > now.getTime() ? { kind: 'wait', until: new Date(readable) } : { kind: 'settle' };
  }
  return unbillable ? { kind: 'expire' } : { kind: 'send' };
}

export type WaitsFor = 'breaker_open' | 'rate_limited' | 'auth' | 'answer_missing' | 'refused' | 'no_meter' | 'summary' | 'disagreement';

/** What an answer means for a report. `again`: not yet certain, or certainly without effect (`uncertain` tells), and to be tried again. */
export type Answered =
  | { kind: 'delivered' }
  | { kind: 'settling' }
  | { kind: 'expired' }
  | { kind: 'again'; uncertain: boolean; waitsFor: WaitsFor; retryAfterMs: number };

/**
 * `wasUncertain`: an earlier call may have had its effect. A duplicate is that effect; where there was no earlier call it is not ours to explain (a database that was
 * restored has forgotten it), unless the identifier stands for the one event whatever is sent.
 */
export function answered(
  outcome: StripeOutcome<{ duplicate: boolean }>,
  { wasUncertain, byEvent }: { wasUncertain: boolean; byEvent: boolean },
): Answered {
  const again = (waitsFor: WaitsFor, retryAfterMs = 0, uncertain = wasUncertain): Answered => ({
    kind: 'again',
    uncertain,
    waitsFor,
    retryAfterMs,
  });
  switch (outcome.kind) {
    case 'ok':
      return outcome.value.duplicate && !wasUncertain && !byEvent ? { kind: 'settling' } : { kind: 'delivered' };
    case 'rejected':
      if (outcome.code !== 'timestamp_too_far_in_past') return again('refused');
      return wasUncertain ? { kind: 'settling' } : { kind: 'expired' };
    case 'declined':
    case 'not_found':
      return again('refused');
    case 'unknown':
      return again('answer_missing', 0, true);
    case 'in_use':
      return again('rate_limited');
    case 'limited':
      return again('rate_limited', outcome.retryAfterMs);
    case 'auth':
      return again('auth');
    case 'refused':
      return again('breaker_open', outcome.retryAfterMs);
    default:
      return outcome satisfies never;
  }
}

/** Whether the summary of an hour counts the report: `sent` is what Stripe is known to have without it. */
export function settledBy(
  { sent, value, formula }: { sent: string; value: string; formula: Formula },
  summary: number,
): 'delivered' | 'absent' | 'neither' {
  // The latest of an hour stays what it is when it is sent twice; and 0 may mean that there is none.
  if (formula === 'last') return unitsOf(value) !== 0n && agrees(unitsOf(value), summary) ? 'delivered' : 'absent';
  if (agrees(unitsOf(sent) + unitsOf(value), summary)) return 'delivered';
  return agrees(unitsOf(sent), summary) ? 'absent' : 'neither';
}
