import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Pulse } from './pulse.js';

describe('The pulse of a process', () => {
  let pulse: Pulse;
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000_000 });
    pulse = new Pulse();
  });
  afterEach(() => {
    pulse.stop();
    jest.useRealTimers();
  });

  it('says nothing while it beats', () => {
    for (let ms = 0; ms < 1_000; ms += 10) {
      jest.advanceTimersByTime(10);
      expect(pulse.heldSince).toBeUndefined();
    }
  });

  it.each([
    ['before the late beat', 0],
    ['after it', 1],
  ])('says since when the process was held up to a request that is read %s, and then no more', (_, beats) => {
    jest.advanceTimersByTime(500);
    const heldAt = Date.now();
    jest.setSystemTime(heldAt + 800);
    if (beats > 0) jest.advanceTimersByTime(50);
    expect(pulse.heldSince).toBe(heldAt);
    jest.advanceTimersByTime(100);
    expect(pulse.heldSince).toBeUndefined();
  });
});
