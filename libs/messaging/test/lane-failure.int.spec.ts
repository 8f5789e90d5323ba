import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { claimLanes, completeRow, LaneLost, type LaneRow, recordFailure } from '../src/inbox-lanes.js';
import { PermanentFailure } from '../src/incoming.js';
import { effectsOf, type Member, numbersByAggregate, recorder, upTo, World } from './support/world.js';

const KEY = { consumer: 'receipts-payments', generation: 1 };
const NOW = new Date();

jest.setTimeout(60_000);

describe('When the words of an error hold a character that the database does not take', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('its message is a dead letter all the same, without that character', async () => {
    const receipts = await world.member('receipts');
    const payments = await world.owner('payments');
    await world.subscribe(receipts, KEY.consumer, { handle: () => Promise.reject(new PermanentFailure('not \u0000 readable')) });
    await payments.publish('payment:pay_1', 1);
    await eventually(async () => {
      const { rows } = await sql<{ state: string; reason: string }>`SELECT state, reason FROM inbox`.execute(receipts.db);
      expect(rows).toEqual([{ state: 'dead', reason: 'PermanentFailure: not  readable' }]);
    });
  });
});

describe('When a message is done and only the answer to its commit was lost', () => {
  let world: World;
  let receipts: Member;
  beforeEach(async () => {
    world = await World.open();
    receipts = await world.member('receipts');
    const payments = await world.owner('payments');
    const subscriber = await world.subscribe(receipts, KEY.consumer, { handle: () => Promise.reject(new Error('not yet')) });
    for (const n of upTo(2)) await payments.publish('payment:pay_1', n);
    await eventually(async () => expect((await subscriber.watermark()).position).toBe(2));
    await subscriber.stop();
    await sql`UPDATE inbox_lanes SET due_at = '-infinity'`.execute(receipts.db);
  });
  afterEach(() => world.close());

  it('its failure is not recorded, and the message behind it is not held up', async () => {
    const [first] = (await claimLanes(receipts.db, KEY, { holder: 'one', now: NOW, limit: 1, ttlMs: 5_000 })) as [LaneRow];
    const second = await receipts.db.transaction().execute((tx) => completeRow(tx, KEY, first, { goOn: true, ttlMs: 5_000 }));
    expect(second?.position).toBe(2);

    const recording = receipts.db
      .transaction()
      .execute((tx) => recordFailure(tx, KEY, first, { verdict: { kind: 'dead' }, reason: 'the connection ended', now: NOW }));

    await expect(recording).rejects.toThrow(LaneLost);
    await sql`UPDATE inbox_lanes SET expires_at = clock_timestamp()`.execute(receipts.db);
    await world.subscribe(receipts, KEY.consumer, recorder());
    await eventually(async () => expect(numbersByAggregate(await effectsOf(receipts.db, KEY.consumer))).toEqual({ 'payment:pay_1': [2] }));
  });
});
