import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drain, fullBucket, take } from './token-bucket.js';

const rules = { capacity: 10, perSecond: 20 };

describe('A token bucket', () => {
  it('grants what it holds and then says how long to wait', () => {
    const first = take(fullBucket(rules, 0), rules, 10, 0);
    expect(first.granted).toBe(true);
    expect(take(first.bucket, rules, 1, 0)).toMatchObject({ granted: false, waitMs: 50 });
  });

  it('starts empty after a drain', () => {
    expect(take(drain(1000), rules, 1, 1000).granted).toBe(false);
    expect(take(drain(1000), rules, 1, 1050).granted).toBe(true);
  });

  it('gains nothing from a clock that goes backwards', () => {
    expect(take({ tokens: 0, at: 5000 }, rules, 1, 0).granted).toBe(false);
  });

  it('refuses a draw that can never be granted', () => {
    expect(() => take(fullBucket(rules, 0), rules, 11, 0)).toThrow('Bug');
  });

  it('never grants more than its capacity plus what flowed in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 200 }), (waits) => {
        let bucket = fullBucket(rules, 0);
        let now = 0;
        let granted = 0;
        for (const wait of waits) {
          now += wait;
          const draw = take(bucket, rules, 1, now);
          bucket = draw.bucket;
          if (draw.granted) granted += 1;
        }
        return granted <= rules.capacity + (now / 1000) * rules.perSecond + 1e-6;
      }),
    );
  });
});
