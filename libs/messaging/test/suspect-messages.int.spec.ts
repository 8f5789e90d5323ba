import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { claimLanes } from '../src/inbox-lanes.js';
import { type Member, publisher, World } from './support/world.js';

const KEY = { consumer: 'receipts-payments', generation: 1 };
const PAUSE_MS = 60_000;

jest.setTimeout(60_000);

describe('Given a message that was in hand whenever its process was killed', () => {
  let world: World;
  let receipts: Member;
  beforeEach(async () => {
    world = await World.open();
    receipts = await world.member('receipts');
    const payments = await world.owner('payments');
    const subscriber = await world.subscribe(receipts, KEY.consumer, { handle: () => Promise.reject(new Error('not now')) });
    await publisher(payments.db, 'payments', payments.relay)('payment:pay_1', 1);
    await eventually(async () => expect((await subscriber.watermark()).position).toBe(1));
    await subscriber.stop();
    await sql`UPDATE inbox_lanes SET due_at = '-infinity'`.execute(receipts.db);
  });
  afterEach(() => world.close());

  const claim = async (suspectPauseMs?: number): Promise<number> => {
    const limits = { holder: 'one of many', now: new Date(), limit: 1, ttlMs: 5_000 };
    return (await claimLanes(receipts.db, KEY, suspectPauseMs === undefined ? limits : { ...limits, suspectPauseMs })).length;
  };
  const killedFor = (ms: number) =>
    sql`UPDATE inbox_lanes SET expires_at = clock_timestamp() - ${ms} * interval '1 millisecond'`.execute(receipts.db);

  it('it is run again alone and at once the first time, and after a pause that doubles from then on', async () => {
    expect(await claim()).toBe(1);
    await killedFor(0);
    expect([await claim(), await claim(PAUSE_MS)]).toEqual([0, 1]);
    for (const pauses of [1, 3, 7, 15]) {
      await killedFor((pauses - 0.5) * PAUSE_MS);
      expect(await claim(PAUSE_MS)).toBe(0);
      await killedFor(pauses * PAUSE_MS);
      expect([await claim(), await claim(PAUSE_MS)]).toEqual([0, 1]);
    }
  });
});
