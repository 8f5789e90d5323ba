import { type Scheduler } from './scheduler.js';
import { type VirtualClock } from './virtual-clock.js';

/**
 * Moves the clock forward, stopping at everything that becomes due on the way, so that a renewal of last week is dated last week and
 * what follows from it still happens in order.
 */
export function advanceClock({ clock, scheduler }: { clock: VirtualClock; scheduler: Scheduler }, seconds: number): void {
  const target = clock.offsetSeconds() + seconds;
  for (let dueMs = scheduler.nextDueMs(); dueMs !== undefined; dueMs = scheduler.nextDueMs()) {
    const offset = clock.offsetSeconds() + Math.max(0, dueMs - clock.nowMs()) / 1000;
    if (offset > target) break;
    clock.setOffsetSeconds(offset);
    scheduler.runDue();
  }
  clock.setOffsetSeconds(target);
  scheduler.runDue();
}
