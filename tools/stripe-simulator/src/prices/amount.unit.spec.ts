import { describe, expect, it } from '@jest/globals';
import { DEFAULT_SETTINGS } from '../settings.js';
import { World } from '../world.js';
import { priceAmount } from './amount.js';
import { newPrice } from './create.js';
import { decimalTimes } from './decimal.js';

const world = new World({ ...DEFAULT_SETTINGS, seed: 1 });
const cause = { requestId: null, idempotencyKey: null, silent: true };
const cost = (params: object, quantity: number): number =>
  priceAmount(world, newPrice(world, { currency: 'usd', product_data: { name: 'x' }, ...params }, cause), quantity);
const tiers = [
  { up_to: 10, unit_amount: 100, flat_amount: 500 },
  { up_to: 'inf', unit_amount: 50 },
];

describe('What a quantity costs', () => {
  it.each([
    ['per unit', { unit_amount: 300 }, 4, 1_200],
    ['per unit in decimals, half up', { unit_amount_decimal: '0.25' }, 6, 2],
    ['in started packages', { unit_amount: 300, transform_quantity: { divide_by: 10, round: 'up' } }, 11, 600],
    ['in full packages', { unit_amount: 300, transform_quantity: { divide_by: 10, round: 'down' } }, 19, 300],
    ['in the first graduated tier', { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers }, 10, 1_500],
    ['over both graduated tiers', { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers }, 12, 1_600],
    ['nothing used, graduated: the flat part', { billing_scheme: 'tiered', tiers_mode: 'graduated', tiers }, 0, 500],
    ['all at the tier of the volume', { billing_scheme: 'tiered', tiers_mode: 'volume', tiers }, 12, 600],
  ])('%s', (_, params, quantity, amount) => {
    expect(cost(params, quantity)).toBe(amount);
  });

  it('keeps twelve places apart from floating point', () => {
    expect(decimalTimes('0.000000000001', 1_000_000_000_000)).toBe(1);
    expect(decimalTimes('1.1', 3)).toBe(3);
    expect(decimalTimes('1.5', 3)).toBe(5);
  });
});
