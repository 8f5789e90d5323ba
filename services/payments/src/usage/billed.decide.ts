import { type BilledDifference, type BilledUsage, type NotComparedReason } from '@tidegate/contracts/rpc/billed-usage';
import { type Price } from '@tidegate/stripe-gateway/billing';
import { agrees, textOf, unitsOf } from './decimal.js';
import { SUMMARY_LAG_MS } from './report.decide.js';

const ONE = unitsOf('1');
/** Our clock and Stripe's go differently: only what was first sent so long after an invoice was final was certainly taken after it. */
export const CLOCK_MARGIN_MS = 60_000;

export type BilledVerdict =
  | { kind: 'agree' }
  | { kind: 'pending' }
  | { kind: 'not_compared'; reason: NotComparedReason }
  | { kind: 'differs'; reason: BilledDifference['reason']; late: string };

const notCompared = (reason: NotComparedReason): BilledVerdict => ({ kind: 'not_compared', reason });

/** Others of the same invoice and subscription whose period is in part the same; by another price they may bill the same usage. */
export const beside = (one: BilledUsage, all: readonly BilledUsage[]): BilledUsage[] =>
  all.filter(
    ({ invoice, subscription, price, start, end }) =>
      invoice === one.invoice && subscription === one.subscription && price !== one.price && start < one.end && end > one.start,
  );

const DECIMAL = /^-?\d{1,20}(\.\d{1,12})?$/;

/** What lines bill together; null when one has no quantity. */
export function billedUnits(quantities: BilledUsage['quantities']): bigint | null {
  let sum = 0n;
  for (const text of quantities) {
    if (text === null || !DECIMAL.test(text)) return null;
    sum += unitsOf(text);
  }
  return sum;
}

/** What somebody says was billed otherwise; nothing where that is no decimal. */
export const settledUnits = (settled: string | null): bigint => (settled !== null && DECIMAL.test(settled) ? unitsOf(settled) : 0n);

/**
 * Whether lines of this price can be compared: their units, or why not; null when they bill no usage. A line of nothing for a period that is not over stands on a
 * subscription's first invoice.
 */
export function comparable(
  billed: BilledUsage,
  { meter, transforms, flat_tiers }: Price,
): { units: bigint } | { reason: NotComparedReason } | null {
  if (meter === null) return null;
  const units = billedUnits(billed.quantities);
  if (billed.end > billed.finalized_at) return units === 0n ? null : { reason: 'period_open' };
  if (transforms) return { reason: 'transforms' };
  if (flat_tiers) return { reason: 'flat_tiers' };
  return units === null ? { reason: 'quantity_missing' } : { units };
}

/**
 * Whether this much bills that sum. A sum below zero is billed as nothing: quantities are never negative. Where the sum has a fraction and the invoice has none, Stripe
 * may have rounded, and nobody has said how: less than one unit is no difference.
 */
export function bills(billed: bigint, sum: bigint): boolean {
  if (agrees(sum, Number(textOf(billed)))) return true;
  if (sum < 0n && billed === 0n) return true;
  const roundedAway = billed % ONE === 0n && sum % ONE !== 0n;
  return roundedAway && absolute(sum - billed) < ONE;
}

/** An hour that the period lies in, or begins or ends in; decimals as text. */
export interface TakenHour {
  /** What Stripe took of the whole hour. */
  sent: string;
  /** What Stripe's summary of it says. */
  summary: number;
  /** What of it lies in the period, and was certainly taken after the invoice was final. */
  late: string;
  last_call_at: Date | null;
  /** A restore since which nobody has asked Stripe for it. */
  doubted: boolean;
}

/** The period as we have it, where it is not what was billed and settled. */
export interface TakenPeriod {
  total: bigint;
  billed: bigint;
  settled: bigint;
  hours: readonly TakenHour[];
  /** An hour in which it begins or ends was put right by its sum. */
  corrected: boolean;
}

/**
 * Why an invoice does not bill what Stripe took. It is judged only where Stripe's summaries say today what was reported here: then there is no usage of others in it, and
 * nothing was lost on the way. Beside usage of others only what came too late is certain.
 */
export function judgeBilled({ total, billed, settled, hours, corrected }: TakenPeriod, now: Date): BilledVerdict {
  const differing = hours.filter(({ sent, summary }) => !agrees(unitsOf(sent), summary));
  if (differing.some((hour) => hour.doubted || isLagging(hour, now))) return { kind: 'pending' };
  const late = hours.filter((hour) => !differing.includes(hour)).reduce((sum, hour) => sum + unitsOf(hour.late), 0n);
  if (differing.length > 0)
    return absolute(late - settled) < ONE
      ? notCompared('hours_differ')
      : { kind: 'differs', reason: 'late_beside_others', late: textOf(late) };
  if (corrected) return notCompared('border_corrected');
  const reason = late !== 0n && bills(billed, total - late) ? 'late' : 'billed_differs';
  return { kind: 'differs', reason, late: textOf(late) };
}

const isLagging = ({ last_call_at }: TakenHour, now: Date): boolean =>
  last_call_at !== null && now.getTime() - last_call_at.getTime() < SUMMARY_LAG_MS;

const absolute = (units: bigint): bigint => (units < 0n ? -units : units);
