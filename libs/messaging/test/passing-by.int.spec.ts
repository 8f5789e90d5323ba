import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { listDeadLetters } from '../src/dead-letters.js';
import { stage } from '../src/outbox.js';
import { type Handler, PermanentFailure } from '../src/subscriber.js';
import { effectsOf, type Member, messageOf, recordEffect, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'receipts-payments';
const UNHEARD = 'payments.events.payment.processing.v1';

let world: World;
let payments: Awaited<ReturnType<World['owner']>>;
let own: Member;
beforeEach(async () => {
  world = await World.open();
  payments = await world.owner('payments');
  own = await world.member('receipts');
});
afterEach(() => world.close());

/** Every other one is of the subject that has no effect. */
async function publish(numbers: readonly number[], aggregate: string): Promise<void> {
  const messages = numbers.map((n) => ({ ...messageOf('payments', aggregate, n), ...(n % 2 === 0 ? { subject: UNHEARD } : {}) }));
  await payments.db.transaction().execute((tx) => stage(tx, messages));
  payments.relay.signal();
}

const handlerOf = (handle: Handler['handle']): Handler => ({ passesBy: (subject) => subject === UNHEARD, handle });

async function inbox(): Promise<{ position: number; state: string; started: number; finished: number; handled: boolean }[]> {
  const { rows } = await sql<{ position: number; state: string; started: number; finished: number; handled: boolean }>`
    SELECT position::float8, state, started, finished, handled_at IS NOT NULL AS handled FROM inbox ORDER BY position`.execute(own.db);
  return rows;
}

describe('Given a consumer on which some subjects have no effect', () => {
  it('they are stored as done, once, and the handler hears of the others only, in their order', async () => {
    const heard: string[] = [];
    await publish(upTo(20), 'pay_1');
    const subscriber = await world.subscribe(
      own,
      CONSUMER,
      handlerOf((tx, message) => {
        heard.push(message.subject);
        return recordEffect(tx, message);
      }),
    );

    await eventually(async () =>
      expect((await effectsOf(own.db, CONSUMER)).map(({ n }) => n)).toEqual(upTo(20).filter((n) => n % 2 === 1)),
    );
    expect(heard).not.toContain(UNHEARD);
    await eventually(async () => expect((await subscriber.watermark()).position).toBe(20));
    expect(await inbox()).toEqual(upTo(20).map((position) => ({ position, state: 'done', started: 1, finished: 1, handled: true })));
  });

  it('behind a dead message of their aggregate they do not wait, and those with an effect do', async () => {
    await publish(upTo(6), 'pay_1');
    await world.subscribe(
      own,
      CONSUMER,
      handlerOf(async (tx, message) => {
        if ((message.envelope.data as { n: number }).n === 3) throw new PermanentFailure('poison');
        await recordEffect(tx, message);
      }),
    );

    await eventually(async () => expect(await listDeadLetters(own.db)).toHaveLength(1));
    await eventually(async () =>
      expect((await inbox()).map(({ state }) => state)).toEqual(['done', 'done', 'dead', 'done', 'pending', 'done']),
    );
    expect((await effectsOf(own.db, CONSUMER)).map(({ n }) => n)).toEqual([1]);
  });
});
