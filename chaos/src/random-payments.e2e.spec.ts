import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Arena, openArena } from './arena.js';
import { TORMENTED } from './torment-arena.js';
import { torment } from './torment.js';

const seed = Number(process.env['TIDEGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  arena = await openArena(TORMENTED);
}, 120_000);

afterAll(() => arena?.close(), 60_000);

describe('Three hundred payments while everything goes wrong', () => {
  it('hit every fault and every failpoint, and end in a record that equals the truth', async () => {
    const report = await torment(arena, { seed, payments: 300, perSecond: 12, hitsEach: 1 });
    expect(report.surprises).toEqual([]);
    expect(report.missed).toEqual([]);
    expect(report.kills).toBeGreaterThan(3);
    await arena.settled(180_000);
    await arena.inboxesEven(180_000);
  }, 600_000);
});
