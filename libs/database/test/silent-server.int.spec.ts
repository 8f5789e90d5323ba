import net, { type AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../src/database.js';

/** A way to Postgres that can be lost without a word: connections that stood then stay open and carry nothing any more. */
async function wayTo(url: string) {
  const { hostname, port } = new URL(url);
  const pairs = new Set<[net.Socket, net.Socket]>();
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    pairs.add([near, far]);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: Object.assign(new URL(url), { hostname: '127.0.0.1', port: String((server.address() as AddressInfo).port) }).href,
    lose: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
      }
    },
    close: () => {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}

describe('A database', () => {
  const ANSWER_WITHIN_MS = 400;
  const logger = createLogger({ service: 'test', level: 'silent' });
  let database: TestDatabase;
  let way: Awaited<ReturnType<typeof wayTo>>;
  let opened: Database<Record<string, never>>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    way = await wayTo(database.url);
  });
  beforeEach(async () => {
    await opened?.close();
    opened = openDatabase({ url: way.url, poolSize: 2, applicationName: 'silent', answerWithinMs: ANSWER_WITHIN_MS }, logger);
  });
  afterAll(async () => {
    await opened?.close();
    way?.close();
    await database?.drop();
  });

  it('that vanished without a word fails what was asked of it, and is asked again on other connections', async () => {
    const ask = () => sql`SELECT 1`.execute(opened.db);
    await Promise.all([ask(), ask()]);
    expect(opened.pool.totalCount).toBe(2);
    way.lose();
    // The second of a connection waits behind the first.
    const asked = await Promise.allSettled([ask(), ask()]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked[0]).toMatchObject({ reason: { code: 'ETIMEDOUT', message: expect.stringContaining('answered nothing for 400 ms') } });
    await ask();
  });

  it("that vanished without a word fails what is asked of it by the pool's own query, such as for a metric", async () => {
    await opened.pool.query('SELECT 1');
    way.lose();
    await expect(opened.pool.query('SELECT 1')).rejects.toThrow('answered nothing for 400 ms');
    expect((await opened.pool.query('SELECT $1::int AS n', [1])).rows).toEqual([{ n: 1 }]);
  });

  it('that vanished in the middle of a transaction fails it, and what stands behind it', async () => {
    const failed = opened.db.transaction().execute(async (tx) => {
      await sql`SELECT 1`.execute(tx);
      way.lose();
      await Promise.all([sql`SELECT 2`.execute(tx), sql`SELECT 3`.execute(tx)]);
    });
    // The error of the ROLLBACK that cannot be sent any more.
    await expect(failed).rejects.toThrow('connection error');
    await sql`SELECT 1`.execute(opened.db);
  });

  it('is not given up when its answer came while this process stood still', async () => {
    const direct = openDatabase({ url: database.url, poolSize: 1, applicationName: 'still', answerWithinMs: ANSWER_WITHIN_MS }, logger);
    const client = await direct.pool.connect();
    const asked = client.query('SELECT 1');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * ANSWER_WITHIN_MS);
    await asked;
    await turn();
    expect((await client.query('SELECT 2 AS n')).rows).toEqual([{ n: 2 }]);
    client.release();
    await direct.pool.end();
  });

  it('may take its time for one statement after the other, and for as long as it likes where a transaction says so, until that ends', async () => {
    await opened.db.transaction().execute(async (tx) => {
      const slow = () => sql`SELECT pg_sleep(0.25)`.execute(tx);
      await Promise.all([slow(), slow(), slow()]);
    });
    await sql`CREATE TABLE looked_at_late (n int)`.execute(opened.db);
    await sql`CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END'`.execute(opened.db);
    await sql`
      CREATE CONSTRAINT TRIGGER late AFTER INSERT ON looked_at_late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`.execute(
      opened.db,
    );
    await opened.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL statement_timeout = 0`.execute(tx);
      await sql`SELECT pg_sleep(1)`.execute(tx);
      await sql`INSERT INTO looked_at_late VALUES (1)`.execute(tx);
    });
    await expect(sql`SELECT pg_sleep(1)`.execute(opened.db)).rejects.toThrow('answered nothing');
  });
});
