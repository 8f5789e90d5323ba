import { type Formula } from '@tidegate/stripe-gateway/meter';
import { agrees, unitsOf } from './decimal.js';
import { MOST_TIMES_SENT } from './repair.decide.js';
import { SUMMARY_LAG_MS } from './report.decide.js';

/** An hour as we have it; decimals as text. */
export interface CountedHour {
  formula: Formula;
  value: string;
  events: number;
  last_value: string;
  sent: string;
  lost: string;
  /** Of the report that is not certain. */
  open_value: string | null;
  last_call_at: Date | null;
  /** Of a meter that takes the latest: how often that was sent. */
  latest_sent: number;
  /** After a restore: what Stripe had, and what was certainly used later; null when there was none. */
  had: string | null;
  /** The restore since which nobody has asked Stripe what it has of this hour. */
  doubted_since: Date | null;
  /** Whether it is to be reported. */
  is_due: boolean;
}

export type Verdict =
  { kind: 'agree' } | { kind: 'pending' } | { kind: 'mismatch'; reason: 'expired' | 'stripe_differs' | 'beyond_repair' };

/** What we count in an hour, by the meter's own rule. */
export const counted = ({
  formula,
  value,
  events,
  last_value,
}: Pick<CountedHour, 'formula' | 'value' | 'events' | 'last_value'>): string =>
  formula === 'count' ? String(events) : formula === 'last' ? last_value : value;

/**
 * Our hour beside Stripe's summary of it. `pending`: what Stripe lacks is not reported yet, or was just now, and its summaries follow later; that is a backlog and
 * not a disagreement. `askedAt`: when the summary was asked for; the hour was read after it.
 */
export function compareHour(hour: CountedHour, summary: number, askedAt: Date): Verdict {
  if (agrees(expected(hour), summary)) return { kind: 'agree' };
  const { formula, sent, lost, open_value, last_call_at } = hour;
  const doubtedSince = formula === 'last' ? null : hour.doubted_since;
  // What the restore has lost is found when the hour is reported, or repaired.
  if (doubtedSince !== null && (hour.is_due || askedAt.getTime() - doubtedSince.getTime() < SUMMARY_LAG_MS)) return { kind: 'pending' };
  if (unitsOf(lost) !== 0n) return { kind: 'mismatch', reason: 'expired' };
  const isLagging = last_call_at !== null && askedAt.getTime() - last_call_at.getTime() < SUMMARY_LAG_MS;
  const withOpen = open_value === null ? null : formula === 'last' ? unitsOf(open_value) : unitsOf(sent) + unitsOf(open_value);
  const isBehind = hasUnsent(hour) && (agrees(unitsOf(sent), summary) || (withOpen !== null && agrees(withOpen, summary)));
  if (isLagging || isBehind) return { kind: 'pending' };
  return { kind: 'mismatch', reason: doubtedSince !== null || canBeSentAgain(hour, summary) ? 'stripe_differs' : 'beyond_repair' };
}

/** A sum can always be made what it should be; of single events only those that Stripe lacks can be sent again. */
function canBeSentAgain({ formula, sent, latest_sent }: CountedHour, summary: number): boolean {
  if (formula === 'last') return latest_sent < MOST_TIMES_SENT;
  return formula === 'sum' || summary < Number(sent);
}

const hasUnsent = (hour: CountedHour): boolean => hour.open_value !== null || expected(hour) !== unitsOf(hour.sent);

/** What Stripe is to count: what we do, or after a restore what it had more. */
function expected(hour: CountedHour): bigint {
  const [used, had] = [unitsOf(counted(hour)), hour.had === null ? null : unitsOf(hour.had)];
  return had !== null && had > used ? had : used;
}
