import { describe, expect, it } from '@jest/globals';
import { BoundedLog } from './bounded-log.js';

describe('A bounded log', () => {
  it('shows the newest entries, oldest of them first, and counts all', () => {
    const log = new BoundedLog<number>(100);
    for (let i = 0; i < 1_000; i += 1) log.add(i);
    expect(log.all()).toHaveLength(100);
    expect([log.all()[0], log.all().at(-1)]).toEqual([900, 999]);
    expect(log.total()).toBe(1_000);
  });

  it('shows everything while there is little', () => {
    const log = new BoundedLog<string>(3);
    log.add('a');
    log.add('b');
    expect(log.all()).toEqual(['a', 'b']);
  });

  it('takes up no more than it shows, and starts again', () => {
    const log = new BoundedLog<number>(2);
    log.restore([1, 2, 3]);
    expect(log.all()).toEqual([2, 3]);
    log.clear();
    expect([log.all(), log.total()]).toEqual([[], 0]);
  });
});
