import { describe, expect, it } from '@jest/globals';
import { type Db } from '@tidegate/database/database';
import { askTogether } from './ask-together.js';

const [here, there] = [{} as Db, {} as Db];

describe('What parts of a process ask in the same moment', () => {
  it('is one statement for each database, and each gets its own answer', async () => {
    const statements: number[][] = [];
    const twice = askTogether((_db, numbers: readonly number[]) => {
      statements.push([...numbers]);
      return Promise.resolve(numbers.map((n) => 2 * n));
    });
    expect(await Promise.all([twice(here, 1), twice(there, 2), twice(here, 3)])).toEqual([2, 4, 6]);
    expect(statements).toEqual([[1, 3], [2]]);
    expect(await twice(here, 4)).toBe(8);
  });

  it('fails for all when the statement fails, and not for those who ask later', async () => {
    let away = true;
    const same = askTogether((_db, numbers: readonly number[]) => (away ? Promise.reject(new Error('away')) : Promise.resolve(numbers)));
    const failed = await Promise.allSettled([same(here, 1), same(here, 2)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    away = false;
    expect(await same(here, 3)).toBe(3);
  });
});
