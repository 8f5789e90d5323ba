import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { listDeadLetters } from '../src/dead-letters.js';
import { messagingFailpoints } from '../src/messaging-failpoints.js';
import { readOutboxState } from '../src/outbox-rows.js';
import { startChild } from './support/child.js';
import { effectsOf, numbersByAggregate, publisher, upTo, World } from './support/world.js';

jest.setTimeout(90_000);

const CRASHES = [
  ...messagingFailpoints('payments').filter((name) => name.includes('.relay.')),
  ...messagingFailpoints('receipts').filter((name) => name.includes('.receipts-payments.')),
];

describe('When a process is killed', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('at any failpoint of relay and inbox, nothing is lost or doubled', async () => {
    expect(CRASHES).toHaveLength(10);
    const payments = await world.member('payments');
    const publish = publisher(payments.db, 'payments');
    let n = 0;
    for (const failpoint of CRASHES) {
      const child = startChild(world, { failpoint: `${failpoint}:kill:1` });
      for (const _ of upTo(5)) await publish(`payment:pay_${(n += 1) % 3}`, n);
      const { signal, stderr } = await child.ended;
      expect({ failpoint, signal, hit: stderr.includes(`"failpoint_hit","name":"${failpoint}"`) }).toEqual({
        failpoint,
        signal: 'SIGKILL',
        hit: true,
      });
    }
    startChild(world);

    const receipts = await world.member('receipts');
    await eventually(async () => expect((await effectsOf(receipts.db, 'receipts-payments')).length).toBe(n), {
      timeoutMs: 20_000,
      everyMs: 100,
    });
    const effects = await effectsOf(receipts.db, 'receipts-payments');
    expect(effects.map((effect) => effect.position).sort((a, b) => a - b)).toEqual(upTo(n));
    for (const numbers of Object.values(numbersByAggregate(effects))) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    await eventually(async () => expect(await readOutboxState(payments.db)).toMatchObject({ head: n, published: n }));
  });

  it('by one of its messages again and again, that message is found and set aside, and only its aggregate waits', async () => {
    const payments = await world.member('payments');
    const publish = publisher(payments.db, 'payments');
    for (const n of upTo(12)) await publish(n % 4 === 3 ? 'payment:pay_bad' : `payment:pay_${n}`, n);
    const receipts = await world.member('receipts');

    const dead = untilDead().then(() => 'dead');
    let kills = 0;
    for (;;) {
      const child = startChild(world, { poison: 3 });
      const outcome = await Promise.race([child.ended.then(() => 'killed'), dead]);
      if (outcome === 'dead') break;
      kills += 1;
      expect(kills).toBeLessThan(12);
    }

    expect(kills).toBe(8);
    expect(await listDeadLetters(receipts.db)).toMatchObject([
      { aggregate: 'payment:pay_bad', reason: 'PermanentFailure: 8 attempts ended with their process' },
    ]);
    await eventually(async () =>
      expect((await effectsOf(receipts.db, 'receipts-payments')).map((effect) => effect.n).sort((a, b) => a - b)).toEqual([
        1, 2, 4, 5, 6, 8, 9, 10, 12,
      ]),
    );

    function untilDead(): Promise<void> {
      return eventually(async () => expect(await listDeadLetters(receipts.db)).toHaveLength(1), { timeoutMs: 60_000, everyMs: 100 });
    }
  });
});
