import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../src/database.js';

describe('A statement that is asked again and again', () => {
  let database: TestDatabase;
  let opened: Database<Record<string, never>>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    opened = openDatabase(
      { url: database.url, poolSize: 1, applicationName: 'prepared statements test' },
      createLogger({ service: 'test', level: 'silent' }),
    );
    await sql`CREATE TABLE things (n integer)`.execute(opened.db);
  });
  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  const prepared = async (like: string): Promise<number> => {
    const { rows } = await opened.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_prepared_statements WHERE statement LIKE '${like}'`,
    );
    return rows[0]!.n;
  };
  const times = async (count: number, ask: (n: number) => Promise<unknown>): Promise<void> => {
    for (let n = 0; n < count; n++) await ask(n);
  };

  it('is prepared once, and answers as before', async () => {
    await times(2, (n) => sql`SELECT ${n}::int + 1 AS sum`.execute(opened.db));
    expect(await prepared('%+ 1 AS sum')).toBe(0);
    await times(5, async (n) => {
      const { rows } = await sql<{ sum: number }>`SELECT ${n}::int + 1 AS sum`.execute(opened.db);
      expect(rows).toEqual([{ sum: n + 1 }]);
    });
    expect(await prepared('%+ 1 AS sum')).toBe(1);
  });

  it.each([
    ['all columns', (n: number) => sql`SELECT * FROM things WHERE n > ${n}`],
    ['all of a table and more', (n: number) => sql`SELECT t.*, 1 AS one FROM things t WHERE n > ${n}`],
    ['all of what it changed', (n: number) => sql`UPDATE things t SET n = n WHERE n > ${n} RETURNING t.*`],
  ])('is not prepared when a column more would break it: %s', async (what, of) => {
    const all = () => of(0).execute(opened.db);
    await times(5, all);
    await sql`ALTER TABLE things ADD COLUMN ${sql.id(`more for ${what}`)} integer`.execute(opened.db);
    expect((await all()).rows).toEqual([]);
    expect(await prepared('%things%')).toBe(0);
  });

  it('is prepared after any number of those that never are, such as lists of changing length', async () => {
    await times(600, (n) =>
      sql`SELECT * FROM things WHERE n IN (${sql.join(Array.from({ length: n + 1 }, (_, one) => one))})`.execute(opened.db),
    );
    await times(3, (n) => sql`SELECT ${n}::int + 2 AS sum`.execute(opened.db));
    expect(await prepared('%+ 2 AS sum')).toBe(1);
  });
});
