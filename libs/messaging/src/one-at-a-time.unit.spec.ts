import { describe, expect, it } from '@jest/globals';
import { OneAtATime } from './one-at-a-time.js';

const ticks = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
};

describe('Work that is asked for again and again', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('runs after every request, also after one that comes %i steps behind the first', async (steps) => {
    const begun: number[] = [];
    let asked = 0;
    const work = new OneAtATime(async () => {
      begun.push(asked);
      await ticks(2);
    });
    const ask = () => {
      asked += 1;
      work.request();
    };

    ask();
    await ticks(steps);
    ask();
    await work.idle();

    expect(begun.at(-1)).toBe(2);
  });

  it('never runs twice at once', async () => {
    let inside = 0;
    let most = 0;
    const work = new OneAtATime(async () => {
      inside += 1;
      most = Math.max(most, inside);
      await ticks(3);
      inside -= 1;
    });
    for (let n = 0; n < 50; n += 1) {
      work.request();
      await ticks(n % 4);
    }
    await work.idle();
    expect(most).toBe(1);
  });

  it('ends with its failure, which is thrown to whoever waits', async () => {
    let runs = 0;
    const work = new OneAtATime(async () => {
      runs += 1;
      throw new Error('broken');
    });
    work.request();
    await expect(work.idle()).rejects.toThrow('broken');
    work.request();
    await expect(work.idle()).rejects.toThrow('broken');
    expect(runs).toBe(1);
  });
});
