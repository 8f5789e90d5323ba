import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { type Handler, PermanentFailure, type Subscriber, TransientFailure } from '../src/subscriber.js';
import { stage } from '../src/outbox.js';
import { rebuild } from '../src/rebuild.js';
import { totals, totalsProjection } from './support/totals.js';
import { effectsOf, type Member, messageOf, numbersByAggregate, quiet, recordEffect, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'receipts-payments';

let world: World;
let payments: Awaited<ReturnType<World['owner']>>;
let receipts: Member;
beforeEach(async () => {
  world = await World.open();
  payments = await world.owner('payments');
  receipts = await world.member('receipts');
});
afterEach(() => world.close());

/** Publishes `n`, or `n` as a replay of the message with that id; the new message's id. */
async function publish(aggregate: string, n: number, replayed?: string): Promise<string> {
  const message = messageOf('payments', aggregate, n);
  if (replayed !== undefined) message.envelope.replay_of = replayed;
  await inTransaction({ db: payments.db, failpoints: noFailpoints }, 'test', (tx) => stage(tx, [message]));
  payments.relay.signal();
  return message.envelope.id;
}

const numbers = async (member = receipts) => numbersByAggregate(await effectsOf(member.db, CONSUMER));
const states = async () => {
  const { rows } = await sql<{ message_id: string; state: string; reason: string | null }>`
    SELECT message_id, state, reason FROM inbox WHERE consumer = ${CONSUMER} ORDER BY position`.execute(receipts.db);
  return rows.map((row) => row.state);
};
const allStored = (subscriber: Subscriber, position: number) =>
  eventually(async () => expect((await subscriber.watermark()).position).toBe(position));

/** Fails for 2 while it is not fixed. */
const failing = (fixed: () => boolean, more: Partial<Handler> = {}): Handler => ({
  async handle(tx, message) {
    if ((message.envelope.data as { n: number }).n === 2 && !fixed()) throw new PermanentFailure('cannot handle 2');
    await recordEffect(tx, message);
  },
  ...more,
});

describe('A replay of a message that took effect', () => {
  it('is passed, and so is the replay of the replay', async () => {
    const subscriber = await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => true),
    );
    const first = await publish('pay_1', 1);
    await publish('pay_1', 1, first);
    await publish('pay_1', 1, first);
    await publish('pay_1', 3);
    await eventually(async () => expect(await numbers()).toEqual({ pay_1: [1, 3] }));
    await allStored(subscriber, 4);
    expect(await states()).toEqual(['done', 'done', 'done', 'done']);
  });

  it('is handed over to a handler that asks for it', async () => {
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => true, { replays: 'again' }),
    );
    await publish('pay_1', 1, await publish('pay_1', 1));
    await eventually(async () => expect(await numbers()).toEqual({ pay_1: [1, 1] }));
  });

  it('is passed by a projector that meets both in one batch', async () => {
    for (const aggregate of ['pay_1', 'pay_2', 'pay_3']) await publish(aggregate, 1, await publish(aggregate, 1));
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => true, { projector: true }),
    );
    await eventually(async () => expect(await states()).toEqual(Array(6).fill('done')));
    expect(await numbers()).toEqual({ pay_1: [1], pay_2: [1], pay_3: [1] });
  });

  it('is passed in a rebuild that reads it from the stream, too', async () => {
    const reconciliation = await world.member('reconciliation');
    const live = await world.subscribe(reconciliation, 'reconciliation-payments', totals);
    await publish('pay_1', 7, await publish('pay_1', 7));
    await publish('pay_1', 1);
    await allStored(live, 3);
    const table = async () => (await sql`SELECT aggregate, messages, sum::int FROM totals`.execute(reconciliation.db)).rows;
    await eventually(async () => expect(await table()).toEqual([{ aggregate: 'pay_1', messages: 2, sum: 8 }]));
    const { differences, sources } = await rebuild({ ...reconciliation, logger: quiet, projection: totalsProjection() });
    expect(sources[0]?.fromStream).toBe(3);
    expect(differences.rows).toEqual([]);
    expect(await table()).toEqual([{ aggregate: 'pay_1', messages: 2, sum: 8 }]);
  });

  it('that this consumer never saw is handled', async () => {
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => true),
    );
    await publish('pay_1', 1, '018f0000-0000-7000-8000-000000000000');
    await eventually(async () => expect(await numbers()).toEqual({ pay_1: [1] }));
  });
});

describe('A replay of a message that is dead', () => {
  it('takes its place: it is handled once, and what waited behind goes on', async () => {
    let fixed = false;
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => fixed),
    );
    await publish('pay_1', 1);
    const dead = await publish('pay_1', 2);
    await publish('pay_1', 3);
    await eventually(async () => expect(await states()).toEqual(['done', 'dead', 'pending']));
    fixed = true;
    await publish('pay_1', 2, dead);
    await eventually(async () => expect(await numbers()).toEqual({ pay_1: [1, 3, 2] }));
    expect(await states()).toEqual(['done', 'discarded', 'done', 'done']);
  });

  it('that fails again is dead itself, until the next one', async () => {
    let fixed = false;
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => fixed),
    );
    const first = await publish('pay_1', 2);
    await eventually(async () => expect(await states()).toEqual(['dead']));
    await publish('pay_1', 2, first);
    await eventually(async () => expect(await states()).toEqual(['discarded', 'dead']));
    fixed = true;
    await publish('pay_1', 2, first);
    await eventually(async () => expect(await states()).toEqual(['discarded', 'discarded', 'done']));
    expect(await numbers()).toEqual({ pay_1: [2] });
  });

  it('that dies only while its replay waits behind it is given up for the replay', async () => {
    let broken: 'for now' | 'for good' | 'fixed' = 'for now';
    let first = '';
    const handler: Handler = {
      async handle(tx, message) {
        if (message.messageId === first && broken === 'for now') throw new TransientFailure('not yet', 50);
        if (message.messageId === first && broken === 'for good') throw new PermanentFailure('never');
        await recordEffect(tx, message);
      },
    };
    const subscriber = await world.subscribe(receipts, CONSUMER, handler);
    first = await publish('pay_1', 2);
    await publish('pay_1', 2, first);
    await allStored(subscriber, 2);
    expect(await states()).toEqual(['pending', 'pending']);
    broken = 'for good';
    await eventually(async () => expect(await states()).toEqual(['discarded', 'done']));
    expect(await numbers()).toEqual({ pay_1: [2] });
  });

  it('lets a rebuild come to its end although the first one can never be projected', async () => {
    const reconciliation = await world.member('reconciliation');
    const source = { durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS' } as const;
    let first = '';
    const failingTotals: Handler = {
      projector: true,
      async handle(tx, { messageId, aggregate, envelope }) {
        if (messageId === first) throw new PermanentFailure('its content is wrong');
        await sql`
          INSERT INTO totals (aggregate, messages, sum) VALUES (${aggregate}, 1, ${(envelope.data as { n: number }).n})
          ON CONFLICT (aggregate) DO UPDATE SET messages = totals.messages + 1`.execute(tx);
      },
    };
    const live = await world.subscribe(reconciliation, source.durable, failingTotals);
    first = await publish('pay_1', 2);
    await publish('pay_1', 2, first);
    await allStored(live, 2);
    const table = async () => (await sql`SELECT aggregate, messages FROM totals`.execute(reconciliation.db)).rows;
    await eventually(async () => expect(await table()).toEqual([{ aggregate: 'pay_1', messages: 1 }]));
    const { differences } = await rebuild({ ...reconciliation, logger: quiet, projection: totalsProjection(failingTotals) });
    expect(differences.rows).toEqual([]);
    expect(await table()).toEqual([{ aggregate: 'pay_1', messages: 1 }]);
  });
});

describe('A handler that gives a message up', () => {
  const told = async () => (await sql<{ n: number }>`SELECT n FROM effects WHERE worker = 'told' ORDER BY id`.execute(receipts.db)).rows;

  it('can tell others, in the transaction that sets it aside', async () => {
    const reasons: string[] = [];
    const gaveUp: Handler['gaveUp'] = async (tx, message, reason) => {
      reasons.push(reason);
      await recordEffect(tx, message, 'told');
    };
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => false, { gaveUp }),
    );
    await publish('pay_1', 1);
    await publish('pay_1', 2);
    await eventually(async () => expect(await states()).toEqual(['done', 'dead']));
    expect([await told(), reasons]).toEqual([[{ n: 2 }], ['PermanentFailure: cannot handle 2']]);
  });

  it('sets it aside all the same when telling fails', async () => {
    const gaveUp: Handler['gaveUp'] = () => Promise.reject(new Error('nobody listens'));
    await world.subscribe(
      receipts,
      CONSUMER,
      failing(() => false, { gaveUp }),
    );
    await publish('pay_1', 2);
    await eventually(async () => expect(await states()).toEqual(['dead']));
    expect(await told()).toEqual([]);
  });
});
