import { type Recurring } from '../prices/price.js';

const DAY_SECONDS = 86_400;

type Rhythm = Pick<Recurring, 'interval' | 'interval_count'>;

/**
 * The first boundary of the billing cycle after a moment, all in unix seconds. Cycles are counted from the anchor, so a monthly one
 * anchored on the 31st falls on the last day of shorter months and comes back to the 31st.
 */
export function nextBoundary(anchor: number, rhythm: Rhythm, after: number): number {
  if (anchor > after) return anchor;
  if (rhythm.interval === 'day' || rhythm.interval === 'week') {
    const step = rhythm.interval_count * (rhythm.interval === 'day' ? 1 : 7) * DAY_SECONDS;
    return anchor + (Math.floor((after - anchor) / step) + 1) * step;
  }
  const months = rhythm.interval_count * (rhythm.interval === 'month' ? 1 : 12);
  const from = new Date(anchor * 1000);
  const to = new Date(after * 1000);
  const apart = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  let cycles = Math.max(0, Math.floor(apart / months));
  while (plusMonths(from, cycles * months) <= after) cycles += 1;
  return plusMonths(from, cycles * months);
}

function plusMonths(from: Date, months: number): number {
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate();
  const date = new Date(from);
  date.setUTCDate(1);
  date.setUTCMonth(from.getUTCMonth() + months, Math.min(from.getUTCDate(), lastDay));
  return Math.floor(date.getTime() / 1000);
}
