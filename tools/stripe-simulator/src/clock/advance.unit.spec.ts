import { describe, expect, it } from '@jest/globals';
import { advanceClock } from './advance.js';
import { Scheduler } from './scheduler.js';
import { VirtualClock } from './virtual-clock.js';

describe('Advancing the clock', () => {
  it('runs what becomes due at its own time, and what that schedules, then stands where it was sent', () => {
    const clock = new VirtualClock();
    const scheduler = new Scheduler(clock);
    const startMs = clock.nowMs();
    const seen: [string, number][] = [];
    scheduler.on('hourly', (id) => {
      seen.push([id, Math.round((clock.nowMs() - startMs) / 3_600_000)]);
      scheduler.schedule(3_600_000, { kind: 'hourly', id: `${id}+` });
    });
    scheduler.schedule(3_600_000, { kind: 'hourly', id: 'a' });
    advanceClock({ clock, scheduler }, 3 * 3_600 + 60);
    expect(seen).toEqual([
      ['a', 1],
      ['a+', 2],
      ['a++', 3],
    ]);
    expect(clock.offsetSeconds()).toBe(3 * 3_600 + 60);
    scheduler.clear();
  });
});
