import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Scheduler } from './scheduler.js';
import { VirtualClock } from './virtual-clock.js';

function given(): { clock: VirtualClock; scheduler: Scheduler; ran: string[] } {
  const clock = new VirtualClock();
  const scheduler = new Scheduler(clock);
  const ran: string[] = [];
  scheduler.on('note', (id) => ran.push(id));
  return { clock, scheduler, ran };
}

describe('When the clock moves', () => {
  it('runs what is due, in order, and nothing else', () => {
    const { clock, scheduler, ran } = given();
    scheduler.schedule(50_000, { kind: 'note', id: 'second' });
    scheduler.schedule(40_000, { kind: 'note', id: 'first' });
    scheduler.schedule(90_000, { kind: 'note', id: 'later' });
    clock.advance(60);
    expect(scheduler.runDue()).toBe(2);
    expect(ran).toEqual(['first', 'second']);
    expect(scheduler.pending().map(({ job }) => job.id)).toEqual(['later']);
    scheduler.clear();
  });

  it('runs what a job has made due', () => {
    const { clock, scheduler, ran } = given();
    scheduler.on('again', (id) => scheduler.schedule(0, { kind: 'note', id }));
    scheduler.schedule(1_000, { kind: 'again', id: 'x' });
    clock.advance(2);
    scheduler.runDue();
    expect(ran).toEqual(['x']);
  });

  it('runs jobs of one moment in the order in which they were planned, any number of them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), (delays) => {
        const { clock, scheduler, ran } = given();
        const base = clock.nowMs() + 1_000;
        delays.forEach((delay, n) => scheduler.scheduleAt(base + delay, { kind: 'note', id: `${delay}:${n}` }));
        clock.advance(10);
        scheduler.runDue();
        const wanted = delays.map((delay, n) => [delay, n] as const).sort(([a, i], [b, j]) => a - b || i - j);
        expect(ran).toEqual(wanted.map(([delay, n]) => `${delay}:${n}`));
      }),
    );
  });

  it('catches up with what is due although its timer has not fired', () => {
    const { scheduler, ran } = given();
    scheduler.schedule(0, { kind: 'note', id: 'now' });
    scheduler.schedule(60_000, { kind: 'note', id: 'later' });
    scheduler.catchUp();
    expect(ran).toEqual(['now']);
    scheduler.clear();
  });

  it('wakes up by itself', async () => {
    const { scheduler } = given();
    const done = new Promise((resolve) => scheduler.on('wake', resolve));
    scheduler.schedule(1, { kind: 'wake', id: 'up' });
    const alive = setTimeout(() => undefined, 2_000);
    expect(await done).toBe('up');
    clearTimeout(alive);
  });
});

describe('A job that throws', () => {
  it('is told of, and the ones after it run all the same', () => {
    const clock = new VirtualClock();
    const scheduler = new Scheduler(clock);
    const seen: string[] = [];
    scheduler.onFailure(({ kind, id }, error) => seen.push(`${kind} ${id}: ${String(error)}`));
    scheduler.on('bad', () => {
      throw new Error('broken');
    });
    scheduler.on('good', (id) => seen.push(id));
    scheduler.schedule(1_000, { kind: 'bad', id: 'a' });
    scheduler.schedule(2_000, { kind: 'good', id: 'b' });
    clock.advance(3);
    expect(scheduler.runDue()).toBe(2);
    expect(seen).toEqual(['bad a: Error: broken', 'b']);
    scheduler.clear();
  });
});
