import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { createLogger, type Logger } from '@tidegate/telemetry/logger';
import pg from 'pg';
import { ChangedMigration, migrate } from '../src/migrate.js';

const INDEX = '-- A comment; with a semicolon.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS named ON things (id) WHERE id > 1;';
const silent = createLogger({ service: 'spec', level: 'silent' });

describe('When a schema is migrated', () => {
  let database: TestDatabase;
  let folder: string;
  const role = `migrated_${process.pid}`;
  beforeEach(async () => {
    database = await postgresForTests({ migrate: 'none' });
    folder = mkdtempSync(join(tmpdir(), 'tidegate-migrations-'));
    write('0001_first.sql', 'CREATE TABLE things (id int PRIMARY KEY); REVOKE DELETE ON things FROM :"role";');
  });
  afterEach(async () => {
    const admin = await connected(database.url);
    await admin.query(`DROP SCHEMA IF EXISTS shop CASCADE; DROP OWNED BY ${role}; DROP ROLE ${role}`).catch(() => undefined);
    await admin.end();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs each file once, in order, and later only what is new', async () => {
    expect(await run()).toEqual({ applied: ['shop/0001_first.sql'] });
    write('0002_second.sql', 'ALTER TABLE things ADD COLUMN name text;');
    expect(await run()).toEqual({ applied: ['shop/0002_second.sql'] });
    expect(await run()).toEqual({ applied: [] });
  });

  it('refuses a file that was changed after it had run', async () => {
    await run();
    write('0001_first.sql', 'CREATE TABLE other (id int);');
    await expect(run()).rejects.toThrow(ChangedMigration);
  });

  it('leaves nothing behind when a file fails', async () => {
    write('0002_broken.sql', 'CREATE TABLE half (id int); SELECT nonsense;');
    await expect(run()).rejects.toThrow('shop/0002_broken.sql failed');
    const admin = await connected(database.url);
    expect((await admin.query(`SELECT 1 FROM information_schema.schemata WHERE schema_name = 'shop'`)).rowCount).toBe(0);
    await admin.end();
  });

  it('applies once although three processes migrate at the same time', async () => {
    const outcomes = await Promise.all([run(), run(), run()]);
    expect(outcomes.flatMap((one) => one.applied)).toEqual(['shop/0001_first.sql']);
  });

  it('keeps nobody waiting for a table that a backup reads, and changes it once that is done', async () => {
    await run();
    write('0002_second.sql', 'ALTER TABLE shop.things ADD COLUMN name text;');
    const [backup, reader] = [await connected(database.url), await connected(database.url)];
    await backup.query('BEGIN; SELECT * FROM shop.things');
    let migrated: Promise<unknown> = Promise.resolve();
    await new Promise<void>((waits) => {
      migrated = run(Object.assign(Object.create(silent) as Logger, { warn: () => waits() }));
    });
    await reader.query('SELECT * FROM shop.things');
    await backup.query('COMMIT');
    expect(await migrated).toEqual({ applied: ['shop/0002_second.sql'] });
    await backup.end();
    await reader.end();
  });

  it('builds an index beside writers, waits for a backup, and builds anew what was cut off', async () => {
    await run();
    write('0002_index.sql', INDEX);
    const [backup, writer] = [await connected(database.url), await connected(database.url)];
    await backup.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const cutOff = run();
    await eventually(async () => expect(await isValid(writer)).toBe(false));
    await writer.query('INSERT INTO shop.things VALUES (7)');
    await writer.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'migrate shop'`);
    await expect(cutOff).rejects.toThrow('shop/0002_index.sql failed');
    expect(await isValid(writer)).toBe(false);

    const [one, other] = [run(), run()];
    await backup.query('COMMIT');
    expect((await Promise.all([one, other])).flatMap(({ applied }) => applied)).toEqual(['shop/0002_index.sql']);
    expect(await isValid(writer)).toBe(true);
    await backup.end();
    await writer.end();
  });

  it('builds such an index with the tables of a new schema', async () => {
    write('0002_index.sql', INDEX);
    expect(await run()).toEqual({ applied: ['shop/0001_first.sql', 'shop/0002_index.sql'] });
  });

  it.each([
    ['anything else', `${INDEX} SELECT 1;`],
    ['an index that fails when it is there', INDEX.replace('IF NOT EXISTS ', '')],
  ])('refuses %s beside what is done concurrently', async (_what, sql) => {
    write('0002_index.sql', sql);
    await expect(run()).rejects.toThrow('CONCURRENTLY');
  });

  it('gives the role its schema as search path, its grants, and nothing more', async () => {
    await run();
    const url = new URL(database.url);
    url.username = role;
    url.password = 'secret';
    const service = await connected(url.href);
    await service.query('INSERT INTO things VALUES (1)');
    expect((await service.query('SELECT id FROM things')).rows).toEqual([{ id: 1 }]);
    await expect(service.query('DELETE FROM things')).rejects.toThrow('permission denied');
    await expect(service.query('DROP TABLE things')).rejects.toThrow('must be owner');
    await expect(service.query('CREATE TABLE mine (id int)')).rejects.toThrow('permission denied');
    await expect(service.query(`UPDATE migrations SET sha256 = ''`)).rejects.toThrow('permission denied');
    await service.end();
  });

  async function isValid(client: pg.Client): Promise<boolean | undefined> {
    const { rows } = await client.query<{ indisvalid: boolean }>(
      `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('shop.named')`,
    );
    return rows[0]?.indisvalid;
  }
  const run = (logger?: Logger) =>
    migrate(database.url, { schema: 'shop', role, password: 'secret', dirs: [{ id: 'shop', path: folder }] }, logger);
  function write(name: string, sql: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), sql);
  }
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
