import { describe, expect, it } from '@jest/globals';
import { Queue } from './queue.js';

const fail = (error: unknown): void => {
  throw error;
};
const done = (queue: Queue): Promise<void> => new Promise((resolve) => queue.push(() => Promise.resolve(resolve())));

describe('The queue', () => {
  it('runs in order, never inside the caller, at most so many at a time', async () => {
    const queue = new Queue(2, fail);
    const log: string[] = [];
    let running = 0;
    let most = 0;
    for (let n = 0; n < 6; n += 1) {
      queue.push(async () => {
        running += 1;
        most = Math.max(most, running);
        log.push(String(n));
        await new Promise(setImmediate);
        running -= 1;
      });
    }
    expect(log).toEqual([]);
    await done(queue);
    expect([log, most]).toEqual([['0', '1', '2', '3', '4', '5'], 2]);
  });

  it('collects held tasks and never runs them in the order in which they came', async () => {
    const queue = new Queue(4, fail);
    const log: number[] = [];
    await new Promise<void>((resolve) => {
      for (let n = 0; n < 3; n += 1) {
        queue.hold(
          () => {
            log.push(n);
            if (log.length === 3) resolve();
            return Promise.resolve();
          },
          5,
          (tasks) => [...tasks],
        );
      }
    });
    expect(log).toEqual([1, 2, 0]);
  });
});

describe('A task that rejects', () => {
  it('is told of, and the others go on', async () => {
    const told: unknown[] = [];
    const queue = new Queue(1, (error) => told.push(error));
    queue.push(() => Promise.reject(new Error('broken')));
    await done(queue);
    expect(told.map(String)).toEqual(['Error: broken']);
  });
});
