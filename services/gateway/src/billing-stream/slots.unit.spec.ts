import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

describe('Slots', () => {
  it('let half as many of one key run at once, the others in the order in which they came, and go on after one that failed', async () => {
    const slots = new Slots(4);
    const ends: (() => void)[] = [];
    const began: number[] = [];
    const runs = [0, 1, 2, 3].map((n) =>
      slots.run('one', async () => {
        began.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n === 0) throw new Error('failed');
      }),
    );
    const settled = Promise.allSettled(runs);
    expect(began).toEqual([0, 1]);
    ends[0]?.();
    await runs[0]?.catch(() => undefined);
    expect(began).toEqual([0, 1, 2]);
    ends[1]?.();
    await runs[1];
    expect(began).toEqual([0, 1, 2, 3]);
    for (const end of ends) end();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });

  it('go to the keys in turn, and half of them to one at most', async () => {
    const slots = new Slots(2);
    const ends = new Map<string, () => void>();
    const began = () => [...ends.keys()].join(' ');
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'])
      void slots.run(name.slice(0, 1), () => new Promise<void>((resolve) => ends.set(name, resolve)));
    const end = async (name: string) => {
      ends.get(name)?.();
      await turn();
    };
    expect(began()).toBe('a1 b1');
    await end('b1');
    expect(began()).toBe('a1 b1 b2');
    await end('b2');
    expect(began()).toBe('a1 b1 b2 c1');
    await end('c1');
    expect(began()).toBe('a1 b1 b2 c1');
    await end('a1');
    await end('a2');
    expect(began()).toBe('a1 b1 b2 c1 a2 a3');
  });
});
