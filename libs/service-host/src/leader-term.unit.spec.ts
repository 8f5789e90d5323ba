import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LeaderTerm } from './leader-term.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function leaseOf(answers: { renew(): Promise<boolean> }) {
  const calls = { acquired: 0, renewed: 0, released: 0 };
  return {
    calls,
    lease: {
      acquireIfFree: () => Promise.resolve((calls.acquired += 1)),
      renew: () => {
        calls.renewed += 1;
        return answers.renew();
      },
      release: () => Promise.resolve(void (calls.released += 1)),
    },
  };
}

describe('A term of leadership', () => {
  it('is renewed each second, also while the loop rests, and keeps its epoch', async () => {
    const { lease, calls } = leaseOf({ renew: () => Promise.resolve(true) });
    const term = new LeaderTerm(lease);
    expect(await term.epoch()).toBe(1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await term.epoch()).toBe(1);
    expect(calls).toMatchObject({ acquired: 1, renewed: 10 });
    await term.end();
    expect(calls.released).toBe(1);
  });

  it.each([
    ['another took the lease', () => Promise.resolve(false)],
    ['the database is away', () => Promise.reject(new Error('away'))],
  ])('ends when %s; the next one has a new epoch', async (_why, renew) => {
    const { lease } = leaseOf({ renew });
    const term = new LeaderTerm(lease);
    expect(await term.epoch()).toBe(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(await term.epoch()).toBe(2);
    await term.end();
  });
});
