import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Arena, openArena } from './arena.js';
import { killServersOfCluster, lostFromStreams } from './cluster-kills.js';

let arena: Arena;
beforeAll(async () => {
  arena = await openArena({ natsCluster: true, replicas: { payments: 2 } });
}, 180_000);
afterAll(() => arena?.close(), 60_000);

describe('When one server of a NATS cluster of three is killed under load', () => {
  it('loses nothing: no request, no payment, no event of a stream, and every event takes effect once', async () => {
    const { surprises, created, leadersKilled } = await killServersOfCluster(arena, { seed: 7, kills: 3, perSecond: 8 });
    expect(surprises).toEqual([]);
    expect(created).toBeGreaterThan(20);
    expect(leadersKilled).toBeGreaterThan(0);
    await arena.settled(180_000);
    await arena.inboxesEven(180_000);
    expect(await lostFromStreams(arena)).toEqual([]);
  }, 420_000);
});
