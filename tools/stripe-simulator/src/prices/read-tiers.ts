import { invalidParam } from '../http/errors.js';
import { type Params } from '../schema/params.js';
import { checkedDecimal, wholeOrNull } from './decimal.js';
import { type Tier } from './price.js';

interface TierParams {
  readonly flat_amount?: number;
  readonly flat_amount_decimal?: string;
  readonly unit_amount?: number;
  readonly unit_amount_decimal?: string;
  readonly up_to: number | 'inf';
}

/** The tiers of a request: rising bounds, the last one `inf`. Undefined when the price has none. */
export function readTiers(params: Params): readonly Tier[] | undefined {
  const given = params['tiers'] as readonly TierParams[] | undefined;
  const tiered = params['billing_scheme'] === 'tiered';
  if (!tiered && (given !== undefined || params['tiers_mode'] !== undefined)) {
    throw invalidParam(
      'You may only specify `tiers` and `tiers_mode` when `billing_scheme` is `tiered`.',
      given === undefined ? 'tiers_mode' : 'tiers',
    );
  }
  if (!tiered) return undefined;
  if (given === undefined || given.length === 0) throw missing('tiers');
  if (params['tiers_mode'] === undefined) throw missing('tiers_mode');
  const last = given[given.length - 1];
  if (last?.up_to !== 'inf') throw invalidParam('The last tier must have `up_to` set to `inf`.', 'tiers');
  return given.map((tier, at) => readTier(tier, given[at - 1], `tiers[${at}]`));
}

function readTier(tier: TierParams, before: TierParams | undefined, path: string): Tier {
  if (before !== undefined && (before.up_to === 'inf' || (tier.up_to !== 'inf' && tier.up_to <= before.up_to))) {
    throw invalidParam('The `up_to` of tiers must rise, and only the last may be `inf`.', `${path}[up_to]`);
  }
  const unit = readMoney(tier.unit_amount, tier.unit_amount_decimal, `${path}[unit_amount]`);
  const flat = readMoney(tier.flat_amount, tier.flat_amount_decimal, `${path}[flat_amount]`);
  if (unit === null && flat === null) throw missing(`${path}[unit_amount]`);
  return {
    flat_amount: flat === null ? null : wholeOrNull(flat),
    flat_amount_decimal: flat,
    unit_amount: unit === null ? null : wholeOrNull(unit),
    unit_amount_decimal: unit,
    up_to: tier.up_to === 'inf' ? null : tier.up_to,
  };
}

/** An amount given as a whole number or as a decimal, never both. Null when it is left out. */
export function readMoney(whole: number | undefined, decimal: string | undefined, path: string): string | null {
  if (whole !== undefined && decimal !== undefined) {
    throw invalidParam(
      `You may only specify one of these parameters: ${path}, ${path}_decimal.`,
      `${path}_decimal`,
      'parameters_exclusive',
    );
  }
  if (decimal !== undefined) return checkedDecimal(decimal, `${path}_decimal`);
  if (whole === undefined) return null;
  if (whole < 0) throw invalidParam('This value must be greater than or equal to 0.', path, 'parameter_invalid_integer');
  return String(whole);
}

function missing(path: string): Error {
  return invalidParam(`Missing required param: ${path}.`, path, 'parameter_missing');
}
