import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../src/database.js';
import { sideBySide } from '../src/side-by-side.js';

type Tables = { things: { n: number } };

describe('Statements side by side in a transaction', () => {
  let database: TestDatabase;
  let opened: Database<Tables>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    opened = openDatabase(
      { url: database.url, poolSize: 1, applicationName: 'side by side test' },
      createLogger({ service: 'test', level: 'silent' }),
    );
    await sql`CREATE TABLE things (n integer PRIMARY KEY)`.execute(opened.db);
  });
  afterEach(async () => {
    await sql`TRUNCATE things`.execute(opened.db);
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const add = (n: number) => sql`INSERT INTO things VALUES (${n}::int)`;

  it('run in the order in which they are begun, and answer in that order', async () => {
    const counts = await opened.db.transaction().execute((tx) => {
      const counted = async (n: number) => {
        await add(n).execute(tx);
        return (await sql<{ count: number }>`SELECT count(*)::int AS count FROM things`.execute(tx)).rows[0]!.count;
      };
      return sideBySide(
        () => counted(1),
        () => counted(2),
      );
    });
    expect(counts).toEqual([2, 2]);
  });

  it('have the next one made while Postgres works on the one before', async () => {
    const order: string[] = [];
    await opened.db.transaction().execute((tx) =>
      sideBySide(
        async () => {
          await sql`SELECT pg_sleep(0.05)`.execute(tx);
          order.push('first is done');
        },
        async () => {
          const statement = add(1);
          order.push('second is made');
          await statement.execute(tx);
        },
      ),
    );
    expect(order).toEqual(['second is made', 'first is done']);
  });

  it('end when all have ended, with what failed first, wherever it stands', async () => {
    const ended: string[] = [];
    const failed = opened.db.transaction().execute((tx) =>
      sideBySide(
        async () => {
          await add(1).execute(tx);
          await add(2)
            .execute(tx)
            .finally(() => ended.push('first'));
        },
        async () => {
          await add(1)
            .execute(tx)
            .finally(() => ended.push('second'));
        },
      ),
    );
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(ended).toEqual(['second', 'first']);
  });
});
