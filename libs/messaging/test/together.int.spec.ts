import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { listDeadLetters } from '../src/dead-letters.js';
import { stage } from '../src/outbox.js';
import { type Handler, type Incoming, PermanentFailure } from '../src/subscriber.js';
import { effectsOf, type Member, messageOf, numbersByAggregate, recordEffect, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const CONSUMER = 'receipts-payments';

let world: World;
let payments: Awaited<ReturnType<World['owner']>>;
let own: Member;
beforeEach(async () => {
  world = await World.open();
  payments = await world.owner('payments');
  own = await world.member('receipts');
});
afterEach(() => world.close());

const numberOf = ({ envelope }: Incoming): number => (envelope.data as { n: number }).n;
const laneOf = (n: number): string => `pay_${n % 20}`;

/** In one transaction, so that they come together; on record here before anybody handles them. */
async function backlog(count: number): Promise<void> {
  const messages = upTo(count).map((n) => messageOf('payments', laneOf(n), n));
  await payments.db.transaction().execute((tx) => stage(tx, messages));
  payments.relay.signal();
  await eventually(async () => {
    const { rows } = await sql<{ published: number }>`SELECT published::float8 FROM outbox_state`.execute(payments.db);
    expect(rows[0]?.published).toBe(count);
  });
}

/** A handler that takes batches and counts what it is told; `leaves` and `refuses` name numbers. */
function taking({ leaves = () => false, refuses = () => false }: { leaves?(n: number): boolean; refuses?(n: number): boolean } = {}) {
  const [batches, alone, prepared]: [number[][], number[], number[]] = [[], [], []];
  const effect = async (tx: Parameters<Handler['handle']>[0], message: Incoming) => {
    await recordEffect(tx, message);
    if (refuses(numberOf(message))) throw new PermanentFailure('poison');
  };
  const handler: Handler = {
    prepare: async (message) => prepared.push(numberOf(message)),
    async handle(tx, message) {
      alone.push(numberOf(message));
      await effect(tx, message);
    },
    async handleSome(tx, messages, inContextOf) {
      batches.push(messages.map(numberOf));
      for (const message of messages)
        if (!leaves(numberOf(message)))
          await inContextOf(message, async () => {
            expect(currentCorrelationId()).toBe(message.envelope.correlation_id);
            await effect(tx, message);
          });
      return messages.filter((message) => leaves(numberOf(message)));
    },
  };
  return { handler, batches, alone, prepared };
}

const expected = (numbers: readonly number[]): Record<string, number[]> =>
  Object.fromEntries([...Map.groupBy(numbers, laneOf)].sort(([a], [b]) => (a < b ? -1 : 1)));
const effects = async () => numbersByAggregate(await effectsOf(own.db, CONSUMER));

async function inbox(): Promise<{ n: number; state: string; started: number; finished: number }[]> {
  const { rows } = await sql<{ n: number; state: string; started: number; finished: number }>`
    SELECT position::float8 AS n, state, started, finished FROM inbox ORDER BY position`.execute(own.db);
  return rows;
}

describe('Given a backlog of a handler that takes some together', () => {
  it('the lowest message of many lanes shares a transaction, each takes effect once, and lanes keep their order', async () => {
    await backlog(200);
    const { handler, batches, alone } = taking();
    await world.subscribe(own, CONSUMER, handler);

    await eventually(async () => expect(await effects()).toEqual(expected(upTo(200))));
    expect(Math.max(...batches.map(({ length }) => length))).toBeGreaterThan(10);
    for (const batch of batches) expect(new Set(batch.map(laneOf)).size).toBe(batch.length);
    // What came last may have come by itself.
    expect(alone.length).toBeLessThan(20);
    await eventually(async () =>
      expect((await inbox()).every((row) => row.state === 'done' && row.started === 1 && row.finished === 1)).toBe(true),
    );
  });

  it('what it leaves out is prepared and handled by itself, and the rest of its lane goes with a batch again', async () => {
    await backlog(200);
    const { handler, alone, prepared } = taking({ leaves: (n) => n % 6 === 0 });
    await world.subscribe(own, CONSUMER, handler);

    await eventually(async () => expect(await effects()).toEqual(expected(upTo(200))));
    const left = upTo(200).filter((n) => n % 6 === 0);
    expect(alone.toSorted((a, b) => a - b)).toEqual(expect.arrayContaining(left));
    expect(prepared.toSorted((a, b) => a - b)).toEqual(alone.toSorted((a, b) => a - b));
    expect(alone.length).toBeLessThan(left.length + 20);
  });

  it('when one of them fails, nothing of the batch stays, each runs by itself, and only the one that fails is set aside', async () => {
    await backlog(60);
    const { handler } = taking({ refuses: (n) => n === 7 });
    await world.subscribe(own, CONSUMER, handler);

    await eventually(async () =>
      expect(await listDeadLetters(own.db)).toMatchObject([{ aggregate: laneOf(7), reason: 'PermanentFailure: poison' }]),
    );
    const others = upTo(60).filter((n) => laneOf(n) !== laneOf(7));
    await eventually(async () => expect(await effects()).toEqual(expected(others)));
  });

  it('the failure of one that was left out is written down however long the database refuses it, so that nobody takes it for one that ended its process', async () => {
    const admin = (await world.member('admin')).db;
    await backlog(2);
    const tried: number[] = [];
    const subscriber = await world.subscribe(own, CONSUMER, {
      handleSome: async (_, messages) => messages,
      async handle(tx, message) {
        tried.push(numberOf(message));
        if (tried.length > 2) return recordEffect(tx, message);
        await sql`REVOKE UPDATE ON receipts.inbox FROM receipts`.execute(admin);
        throw new Error('not yet');
      },
    });
    await eventually(async () => expect(tried.length).toBe(2));
    // Longer than a process that stops would go on trying.
    await sql`SELECT pg_sleep(11)`.execute(admin);
    await sql`GRANT UPDATE ON receipts.inbox TO receipts`.execute(admin);

    await eventually(async () => expect((await effectsOf(own.db, CONSUMER)).length).toBe(2));
    await subscriber.stop();
    const { rows } = await sql`SELECT state, started, finished, failures FROM inbox`.execute(own.db);
    expect(rows).toEqual(Array.from({ length: 2 }, () => ({ state: 'done', started: 2, finished: 2, failures: 1 })));
  });

  it('those that were left out and not begun when it stops are given back, and no attempt counts', async () => {
    await backlog(20);
    const [begun, over] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const running = new Set<number>();
    const subscriber = await world.subscribe(own, CONSUMER, {
      handleSome: async (_, messages) => messages,
      async handle(tx, message) {
        running.add(numberOf(message));
        if (running.size === 4) begun.resolve(undefined);
        await over.promise;
        await recordEffect(tx, message);
      },
    });
    await begun.promise;
    const stopped = subscriber.stop();
    over.resolve(undefined);
    await stopped;

    const rows = await inbox();
    expect(rows.filter(({ state }) => state === 'done').map(({ n }) => n)).toEqual([...running].sort((a, b) => a - b));
    expect(rows.filter(({ state }) => state === 'pending')).toEqual(
      upTo(20)
        .filter((n) => !running.has(n))
        .map((n) => ({ n, state: 'pending', started: 0, finished: 0 })),
    );
    const { rows: held } = await sql`SELECT 1 FROM inbox_lanes WHERE holder IS NOT NULL`.execute(own.db);
    expect(held).toEqual([]);
  });
});
