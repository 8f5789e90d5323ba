import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '../clock/virtual-clock.js';
import { IdempotencyKeys, V2_KEPT_SECONDS } from './idempotency-keys.js';

const DAY = 86_400;
const request = { key: 'k', path: '/p', fingerprint: 'f', requestId: 'req_1' };

function given(
  keptSeconds?: number,
  clock = new VirtualClock(),
): { keys: IdempotencyKeys; clock: VirtualClock; answer(status: number): void } {
  const keys = new IdempotencyKeys(clock, 1_000, keptSeconds);
  return {
    keys,
    clock,
    answer: (status) => {
      const claim = keys.claim(request);
      if (!('claimed' in claim)) throw new Error('There already is an answer');
      keys.store(claim.claimed, { status, value: status });
    },
  };
}
const replayed = (keys: IdempotencyKeys): number | undefined => {
  const claim = keys.claim(request);
  return 'replay' in claim ? claim.replay.answer?.status : undefined;
};

describe('A key of v1', () => {
  it.each([200, 400, 402, 404, 500])('replays %i', (status) => {
    const { keys, answer } = given();
    answer(status);
    expect(replayed(keys)).toBe(status);
  });

  it('is forgotten after 24 hours of the virtual clock', () => {
    const { keys, answer, clock } = given();
    answer(200);
    clock.advance(DAY - 1);
    expect(replayed(keys)).toBe(200);
    clock.advance(1);
    expect(replayed(keys)).toBeUndefined();
  });
});

describe('A key of v2', () => {
  it('replays a success for 30 days', () => {
    const { keys, answer, clock } = given(V2_KEPT_SECONDS);
    answer(200);
    clock.advance(30 * DAY - 1);
    expect(replayed(keys)).toBe(200);
    clock.advance(1);
    expect(replayed(keys)).toBeUndefined();
  });
});

describe('A key that is claimed and not answered', () => {
  it('is in use, and outlives every pruning', () => {
    const { keys, clock } = given();
    keys.claim(request);
    clock.advance(2 * DAY);
    keys.claim({ ...request, key: 'other' });
    expect(() => keys.claim(request)).toThrow('currently another in-progress request');
  });

  it('is free again once released', () => {
    const { keys } = given();
    const claim = keys.claim(request);
    if ('claimed' in claim) keys.release(claim.claimed);
    expect(keys.all()).toEqual([]);
  });
});
