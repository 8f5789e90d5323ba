import { describe, expect, it } from '@jest/globals';
import { Ids } from './ids.js';
import { Random } from './random.js';

describe('Ids', () => {
  it('are prefixed, opaque, repeatable from the seed and never the same', () => {
    const [one, two] = [new Ids(new Random(7)), new Ids(new Random(7))];
    const made = Array.from({ length: 10_000 }, () => one.next('pi'));
    expect(made[0]).toMatch(/^pi_[0-9A-Za-z]{24}$/);
    expect(new Set(made).size).toBe(10_000);
    expect(two.next('pi')).toBe(made[0]);
    expect(new Ids(new Random(8)).next('pi')).not.toBe(made[0]);
  });

  it('go on elsewhere after a restart', () => {
    const random = new Random(7);
    const state = random.state();
    const after = new Random(7);
    after.restore(state, 12_345);
    expect(new Ids(after).next('pi')).not.toBe(new Ids(random).next('pi'));
  });
});

describe('A shuffle', () => {
  it('keeps every item', () => {
    const items = Array.from({ length: 50 }, (_, n) => n);
    const shuffled = new Random(3).shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
