import { invalidParam, noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Interval, type Recurring } from './price.js';

/** Three years, in each unit. */
const LONGEST: Readonly<Record<Interval, number>> = { day: 1_095, week: 156, month: 36, year: 3 };

export interface RecurringParams {
  readonly interval: Interval;
  readonly interval_count?: number;
  readonly meter?: string;
  readonly trial_period_days?: number;
  readonly usage_type?: 'licensed' | 'metered';
}

/** `recurring[…]` of a price. Metered prices need a meter, licensed ones have none (API versions from 2025-03 basil on). */
export function readRecurring(world: World, params: RecurringParams, path = 'recurring'): Recurring {
  const count = params.interval_count ?? 1;
  if (count < 1 || count > LONGEST[params.interval]) {
    throw invalidParam(
      `Invalid interval_count: must be between 1 and ${LONGEST[params.interval]} for the interval ${params.interval}.`,
      `${path}[interval_count]`,
      'parameter_invalid_integer',
    );
  }
  const usage = params.usage_type ?? 'licensed';
  if (usage === 'metered' && params.meter === undefined) throw invalidParam(METER_NEEDED, `${path}[meter]`, 'parameter_missing');
  if (usage === 'licensed' && params.meter !== undefined)
    throw invalidParam('You may only specify a meter when usage_type is metered.', `${path}[meter]`);
  const meter = params.meter === undefined ? undefined : world.meters.get(params.meter);
  if (params.meter !== undefined && meter === undefined) throw noSuch('billing meter', params.meter, `${path}[meter]`);
  if (meter?.status === 'inactive') throw invalidParam(`The meter ${meter.id} is inactive.`, `${path}[meter]`);
  return {
    interval: params.interval,
    interval_count: count,
    meter: meter?.id ?? null,
    trial_period_days: params.trial_period_days ?? null,
    usage_type: usage,
  };
}

const METER_NEEDED = 'Metered prices must be backed by a meter: pass `recurring[meter]` (legacy usage records no longer exist).';
