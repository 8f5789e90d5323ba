import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../src/database.js';

describe('When the password of a role changes', () => {
  const role = `rotated_${process.pid}`;
  const logger = createLogger({ service: 'test', level: 'silent' });
  let database: TestDatabase;
  let admin: Database<Record<string, never>>;
  beforeAll(async () => {
    database = await postgresForTests({ migrate: 'none' });
    admin = openDatabase({ url: database.url, poolSize: 1, applicationName: 'admin' }, logger);
    await sql.raw(`CREATE ROLE ${role} LOGIN PASSWORD 'one'`).execute(admin.db);
  });
  afterAll(async () => {
    await sql.raw(`DROP ROLE ${role}`).execute(admin.db);
    await admin.close();
    await database.drop();
  });

  it('connections that stand go on, and the next one uses the new password', async () => {
    let password = 'one';
    const url = () => Object.assign(new URL(database.url), { username: role, password }).href;
    const opened = openDatabase({ url, poolSize: 2, applicationName: 'rotated' }, logger);
    const asks = () => sql`SELECT pg_sleep(0.05)`.execute(opened.db);
    await asks();

    await sql.raw(`ALTER ROLE ${role} PASSWORD 'two'`).execute(admin.db);
    await asks();
    await expect(Promise.all([asks(), asks()])).rejects.toThrow('password authentication failed');

    password = 'two';
    await Promise.all([asks(), asks()]);
    expect(opened.pool.totalCount).toBe(2);
    await opened.close();
  });
});
