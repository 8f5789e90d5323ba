import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena, openArena } from './arena.js';
import { killAtFailpoints } from './failpoint-kills.js';
import { inboxFaults } from './inboxes.js';

const seed = Number(process.env['TIDEGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  arena = await openArena({ replicas: { payments: 3 } });
}, 120_000);

afterAll(() => arena?.close(), 60_000);

/** Left to `npm run chaos -- failpoints`: reached only when answers are lost or requests refused, or by loops that run seldom. */
const LONG_FORM_ONLY =
  /^payments\.(request|retry|lookup|orphan|refresh|customer)\.|^receipts\.render\.fail\.|^webhooks\.(sweep|hint)\.|^reconciliation\.run\./;

describe('kill -9 at every failpoint of every service', () => {
  it('hits each of them, and ends in a record that equals the truth', async () => {
    const report = await killAtFailpoints(arena, {
      seed,
      perSecond: 6,
      chosen: (name) => !LONG_FORM_ONLY.test(name),
    });
    expect(report.missed).toEqual([]);
    expect(report.surprises).toEqual([]);
    expect(report.killed.length).toBeGreaterThan(80);
    await arena.settled(90_000);
    await eventually(async () => expect(await inboxFaults(arena)).toEqual([]), { timeoutMs: 30_000 });
  }, 400_000);
});
