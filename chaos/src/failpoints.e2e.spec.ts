import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Arena, openArena } from './arena.js';
import { killAtFailpoints, ofAPayment } from './failpoint-kills.js';

const seed = Number(process.env['TIDEGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  arena = await openArena({ replicas: { payments: 3 } });
}, 120_000);

afterAll(() => arena?.close(), 60_000);

/** The relay and the other services are killed in their own specs, and all of them together by `npm run chaos -- failpoints`. */
describe('kill -9 at every failpoint of a payment', () => {
  it('hits each of them, and ends in a record that equals the truth', async () => {
    const report = await killAtFailpoints(arena, { seed, perSecond: 3, chosen: ofAPayment });
    expect(report.missed).toEqual([]);
    expect(report.surprises).toEqual([]);
    expect(report.killed.length).toBe(40);
    await arena.settled();
    await arena.inboxesEven();
  }, 600_000);
});
