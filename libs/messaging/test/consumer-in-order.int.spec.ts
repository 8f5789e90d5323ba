import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { PermanentFailure, TransientFailure, type Handler } from '../src/subscriber.js';
import { countEffects, effectsOf, numbersByAggregate, recordEffect, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

describe('When three replicas share a consumer', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('handles 100 events of one payment in order although the third fails at first', async () => {
    const payments = await world.owner('payments');
    let failures = 0;
    const handler = (worker: string): Handler => ({
      async handle(tx, message) {
        await recordEffect(tx, message, worker);
        if (message.envelope.aggregate.version === 3 && (failures += 1) <= 3) throw new TransientFailure('not yet');
      },
    });
    for (const worker of ['a', 'b', 'c']) await world.subscribe(await world.member('receipts'), 'receipts-payments', handler(worker));

    for (const n of upTo(100)) await payments.publish('payment:pay_1', n);

    const { db } = await world.member('receipts');
    await eventually(async () => expect(await countEffects(db, 'receipts-payments')).toBe(100), { timeoutMs: 30_000 });
    expect(numbersByAggregate(await effectsOf(db, 'receipts-payments'))).toEqual({ 'payment:pay_1': upTo(100) });
    expect(failures).toBe(4);
  });

  it('lets a dead third hold only its own payment', async () => {
    const payments = await world.owner('payments');
    const handler: Handler = {
      async handle(tx, message) {
        if (message.aggregate === 'payment:pay_bad' && message.envelope.aggregate.version === 3) throw new PermanentFailure('cannot be');
        await recordEffect(tx, message);
      },
    };
    for (let replica = 0; replica < 3; replica += 1) await world.subscribe(await world.member('receipts'), 'receipts-payments', handler);

    for (const n of upTo(20)) {
      await payments.publish('payment:pay_bad', n);
      await payments.publish('payment:pay_good', n);
    }

    const { db } = await world.member('receipts');
    await eventually(async () =>
      expect(numbersByAggregate(await effectsOf(db, 'receipts-payments'))).toEqual({
        'payment:pay_bad': [1, 2],
        'payment:pay_good': upTo(20),
      }),
    );
  });
});
