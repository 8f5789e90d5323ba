import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

describe('Slots', () => {
  it('let so many run at once, the others in the order in which they came, and go on after one that failed', async () => {
    const slots = new Slots(2);
    const ends: (() => void)[] = [];
    const began: number[] = [];
    const runs = [0, 1, 2, 3].map((n) =>
      slots.run(async () => {
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
});
