import { describe, expect, it } from '@jest/globals';
import { parseChaosOptions } from './options.js';

describe('When npm run chaos is given arguments', () => {
  it('takes the run, how many, and the seed', () => {
    expect(parseChaosOptions(['payments', '300', '--seed', '7'])).toEqual({
      ...{ run: 'payments', amount: 300, count: undefined, ref: undefined },
      ...{ seed: 7, kept: false },
    });
    expect(parseChaosOptions(['rolling', 'main'])).toMatchObject({ run: 'rolling', ref: 'main', amount: undefined });
    expect(parseChaosOptions(['kills', '--count', '12'])).toMatchObject({ run: 'kills', count: 12 });
  });

  it('has a seed of its own for each run without one', () => {
    const seeds = new Set(Array.from({ length: 10 }, () => parseChaosOptions(['kills']).seed));
    expect(seeds.size).toBeGreaterThan(1);
  });

  it.each([
    [[], 'Which run?'],
    [['kill'], 'There is no run "kill".'],
    [['payments', 'many'], 'How many must be a whole number from 1, not "many".'],
    [['payments', '0'], 'How many must be a whole number from 1, not "0".'],
    [['kills', '--count', '1e3'], '--count must be a whole number from 1, not "1e3".'],
    [['clean', '--kept'], '--kept is for payments, and takes no --seed.'],
    [['payments', '--kept', '--seed', '7'], '--kept is for payments, and takes no --seed.'],
    [['kills', '--seed', 'x'], '--seed must be a whole number from 0, not "x".'],
    [['payments', '1', '2'], 'Nobody knows what to do with 2.'],
    [['kills', '500'], 'kills takes no number there, but got 500.'],
    [['payments', '--count', '500'], 'payments takes no --count.'],
    [['payments', '--cuont', '2'], "Unknown option '--cuont'"],
  ])('refuses %j, which would run nothing or something else', (args, message) => {
    expect(() => parseChaosOptions(args)).toThrow(message);
  });
});
