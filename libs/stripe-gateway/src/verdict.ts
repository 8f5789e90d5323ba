import { type StripeOutcome } from './outcome.js';

/** Whom a 429 is about. Source of the header's values: https://docs.stripe.com/rate-limits */
export type Pressure = 'account' | 'account_concurrency' | 'endpoint';

/** What one finished call teaches the fleet. */
export interface Verdict {
  /** For the breaker: Stripe answered, or it did not, or the call says nothing about that. */
  counts: 'success' | 'failure' | 'nothing';
  /** No more calls with this key at all, or no more of this operation. */
  latch?: 'key' | 'operation';
  /** Fewer calls from now on. */
  pressure?: Pressure;
}

const PRESSURE: Readonly<Record<string, Pressure | undefined>> = {
  'global-rate': 'account',
  'global-concurrency': 'account_concurrency',
  'endpoint-rate': 'endpoint',
  'endpoint-concurrency': 'endpoint',
  // Another request has the object, or this one object was changed too often: nothing to do with how much we call.
  lock_timeout: undefined,
  'resource-specific': undefined,
};

/**
 * The verdict on one call; the only place where it is decided. Failures are a lost connection, a timeout, a 5xx, a broken body, and whatever took longer than
 * `slowMs`. An answer that Stripe gave on purpose (4xx) is none, be it a decline, a conflict or a limit.
 */
export function verdictOf(outcome: StripeOutcome<unknown>, tookMs: number, slowMs: number): Verdict {
  switch (outcome.kind) {
    case 'refused':
      return { counts: 'nothing' };
    case 'auth':
      return outcome.status === 401 ? { counts: 'nothing', latch: 'key' } : { counts: 'success', latch: 'operation' };
    case 'limited':
      return limited(outcome.reason);
    case 'unknown':
      return { counts: outcome.cause === 'key_conflict' ? 'success' : 'failure' };
    case 'in_use':
      return { counts: 'success' };
    case 'ok':
    case 'declined':
    case 'rejected':
    case 'not_found':
      return { counts: tookMs > slowMs ? 'failure' : 'success' };
    default:
      return outcome satisfies never;
  }
}

/** A 429 without a reason that we know counts as one about the account. */
function limited(reason: string): Verdict {
  if (reason === OWN_LIMIT) return { counts: 'nothing' };
  const pressure = Object.hasOwn(PRESSURE, reason) ? PRESSURE[reason] : 'account';
  return pressure ? { counts: 'success', pressure } : { counts: 'success' };
}

/** The reason of a `limited` that our own limiter made. */
export const OWN_LIMIT = 'tidegate';
