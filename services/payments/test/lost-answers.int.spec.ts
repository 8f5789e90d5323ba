import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import type pg from 'pg';
import { type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';

jest.setTimeout(60_000);

/** Loses the answer to one statement that writes decisions: it has committed, and its connection breaks. */
class LossyDatabase {
  /** How many such statements are answered before the one that is not; null: all. */
  answered: number | null = null;
  lost = 0;

  readonly onConnection = (client: pg.PoolClient): void => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const lossy = async (...args: unknown[]) => {
      const result = await query(...args);
      if (typeof args[0] === 'string' && args[0].includes('written AS') && this.isLost())
        throw new Error('Connection terminated unexpectedly');
      return result;
    };
    client.query = lossy as typeof client.query;
  };

  private isLost(): boolean {
    if (this.answered === null) return false;
    if (this.answered > 0) {
      this.answered -= 1;
      return false;
    }
    this.answered = null;
    this.lost += 1;
    return true;
  }
}

describe('When the database has committed decisions and its answer is lost', () => {
  const database = new LossyDatabase();
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld({ deadlineMs: 2000, onConnection: database.onConnection });
  });
  afterAll(() => world.close());
  const expireLeases = () => sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db);

  it.each([
    ['that accepts', 0, [1, 4]],
    ['that records the intent', 1, [1, 4]],
    ['that records the outcome', 2, [1]],
  ])('to the statement %s, every payment is made once all the same', async (_, answered, sizes) => {
    for (const size of sizes) {
      const requests = Array.from({ length: size }, (_unused, i) => ({
        key: `lost-${answered}-${size}-${i}`,
        body: { amount: 4200, currency: 'usd', payment_method: VISA },
      }));
      database.answered = answered;
      database.lost = 0;
      const first = Promise.all(requests.map((request) => world.send(RPC.paymentCreate, request)));
      await eventually(() => expect(database.lost).toBe(1));
      await expireLeases();
      await first;
      await expireLeases();
      await world.settle();
      for (const request of requests) {
        const [second, third] = [await world.send(RPC.paymentCreate, request), await world.send(RPC.paymentCreate, request)];
        expect(second.status).toBe(201);
        expect(third.body).toBe(second.body);
        const { id, status } = world.json(second);
        expect(status).toBe('succeeded');
        expect(world.intentsOf(id).map((intent) => intent.status)).toEqual(['succeeded']);
      }
    }
  });
});

/** Holds back the answer to one read of a key until `until` has come about. */
class SlowReader {
  until: (() => Promise<unknown>) | null = null;

  readonly onConnection = (client: pg.PoolClient): void => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const slow = async (...args: unknown[]) => {
      const result = await query(...args);
      const [text] = args;
      if (this.until && typeof text === 'string' && text.startsWith('select') && text.includes('"idempotency_keys"')) {
        const { until } = this;
        this.until = null;
        await until();
      }
      return result;
    };
    client.query = slow as typeof client.query;
  };
}

describe('When an answer becomes certain between the two looks of whoever waits for it', () => {
  const database = new SlowReader();
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld({ answerMs: 300, onConnection: database.onConnection });
  });
  afterAll(() => world.close());

  it.each([
    ['cancel', 'POST /v1/payment_intents/:id/cancel', { capture_method: 'manual' }, 'canceled'],
    ['refund', 'POST /v1/refunds', {}, 'succeeded'],
  ] as const)('of a %s, the answer that is kept is given', async (operation, route, body, status) => {
    const { id } = await world.created(body);
    world.simulator.addFault({ fault: 'slow', route, ms: 800, times: 1 });
    const ask = () => world[operation](id, {}, `${operation}-in-between`);
    const first = ask();
    const keys = async () =>
      (await sql<{ status: number | null }>`SELECT status FROM idempotency_keys WHERE key = ${`${operation}-in-between`}`.execute(world.db))
        .rows;
    await eventually(async () => expect(await keys()).toEqual([{ status: null }]));
    database.until = () => eventually(async () => expect(await keys()).toEqual([{ status: expect.any(Number) }]));
    const answer = await first;
    expect(database.until).toBeNull();
    expect(world.json<{ status: string }>(answer).status).toBe(status);
    expect((await ask()).body).toBe(answer.body);
  });
});
