import { type LimitPeriod, type UsageCheckView } from '@tidegate/contracts/usage';
import { textOf, unitsOf } from './decimal.js';
import { calendarPeriod } from './period.decide.js';

/** A limit that applies to a customer, and what he has used in its period. */
export interface Used {
  period: LimitPeriod;
  limit: string;
  used: string;
}

/** Whether `value` more fits in every limit. Without one everything is allowed. */
export function decideUse(limits: readonly Used[], value: string, now: Date): Pick<UsageCheckView, 'decision' | 'limits'> {
  const wanted = unitsOf(value);
  const fits = limits.every(({ limit, used }) => unitsOf(used) + wanted <= unitsOf(limit));
  return {
    decision: fits ? 'allow' : 'deny',
    limits: limits.map(({ period, limit, used }) => {
      const left = unitsOf(limit) - unitsOf(used);
      const remaining = textOf(left > 0n ? left : 0n);
      return { period, limit, used, remaining, resets_at: calendarPeriod(period, now).to.toISOString() };
    }),
  };
}
