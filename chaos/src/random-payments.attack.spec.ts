import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Arena, openArena } from './arena.js';
import { callsBehindClosedDoors } from './closed-doors.js';
import { failpointNames } from './failpoint-hits.js';
import { ofAPayment } from './failpoint-kills.js';
import { keptWhenItFails } from './kept-seeds.js';
import { otherBytes } from './step.js';
import { seedOfThisRun } from './seed.js';
import { TORMENTED } from './torment-arena.js';
import { torment } from './torment.js';
import { unanswered } from './unanswered.js';

const seed = seedOfThisRun();
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  arena = await openArena(TORMENTED);
}, 120_000);

afterAll(() => arena?.close(), 60_000);

const say = (line: string) => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

/** The relay and the other services are killed at their failpoints in their own specs, and all of them together by `npm run chaos -- failpoints`. */
describe('Three hundred payments while everything goes wrong', () => {
  it('hit every fault and every failpoint, die at each failpoint of a payment, and end in a record that equals the truth', async () => {
    await keptWhenItFails(seed, async () => {
      const report = await torment(arena, { seed, payments: 300, perSecond: 12, hitsEach: 1, kills: 30, say });
      expect(report.surprises).toEqual([]);
      expect(report.missed).toEqual([]);
      expect(report.killedAt.toSorted()).toEqual(failpointNames(arena).filter(ofAPayment).toSorted());
      expect(report.killedAt.length).toBe(40);
      expect(report.kills).toBeGreaterThanOrEqual(30);
      expect(report.drills).toBeGreaterThan(1);
      const { payments } = await arena.settled(180_000);
      await arena.inboxesEven(180_000);
      const known = new Set(payments.map(({ id }) => id));
      expect(report.created.filter((id) => !known.has(id))).toEqual([]);
      expect(await unanswered(arena)).toEqual([]);
      const doors = await callsBehindClosedDoors(arena);
      expect(doors.calls).toEqual([]);
      expect(doors.intervals).toBeGreaterThan(0);
      expect(report.answered.length).toBeGreaterThan(150);
      expect(await otherBytes(arena.client, report.answered)).toEqual([]);
      say(`equal: ${payments.length} payments, ${report.kills} random kills, ${report.answered.length} answers`);
    });
  }, 600_000);
});
