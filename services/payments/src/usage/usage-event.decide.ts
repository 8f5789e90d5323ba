import { CustomerId } from '@tidegate/contracts/ids';
import { DECIMAL, OLDEST_USAGE_MS, USAGE_AHEAD_MS, type UsageEvent, type UsageRejection } from '@tidegate/contracts/usage';
import { z } from 'zod';
import { plain } from './decimal.js';

const HOUR_MS = 3_600_000;
const At = z.iso.datetime({ offset: true });

/** Usage as it is stored: `value` is decimal text without an exponent, `hour` the UTC hour of `at`. */
export interface Usage {
  tenant: string;
  id: string;
  customer: string;
  meter: string;
  value: string;
  at: Date;
  hour: Date;
}

/** Whether an event can be counted, as far as it alone tells. */
export function judge(event: UsageEvent, tenant: string, now: Date): Usage | UsageRejection {
  const { id, customer, meter } = event;
  if (!CustomerId.safeParse(customer).success) return 'usage.customer_invalid';
  if (meter.trim() === '' || meter !== meter.trim()) return 'usage.meter_invalid';
  const value = typeof event.value === 'number' ? plain(event.value) : event.value;
  if (!DECIMAL.test(value)) return 'usage.value_invalid';
  if (!At.safeParse(event.at).success) return 'usage.time_invalid';
  const at = new Date(event.at);
  if (at.getTime() < now.getTime() - OLDEST_USAGE_MS) return 'usage.too_old';
  if (at.getTime() > now.getTime() + USAGE_AHEAD_MS) return 'usage.in_future';
  return { tenant, id, customer, meter, value, at, hour: hourOf(at) };
}

export const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
