import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { query } from '@tidegate/local-stack/postgres/ping';
import { SERVICES } from '@tidegate/messaging/topology';
import { eventually } from '@tidegate/test-harness/eventually';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import pg from 'pg';
import { type Ran, tidegate } from './console.js';

let database: TestDatabase;
let owner: string;
const OWNER = `owner_${process.pid}`;
beforeAll(async () => {
  database = await postgresForTests({ migrate: 'none' });
  await query(database.url, `create role ${OWNER} login nosuperuser createrole password 'owner'`);
  await query(database.url, `alter database ${database.name} owner to ${OWNER}`);
  // As a managed PostgreSQL has it: roles that are there were made by the owner, who may then manage them.
  for (const service of SERVICES)
    await query(
      database.url,
      `do $$ begin if not exists (select from pg_roles where rolname = '${service}') then create role ${service} login noinherit; end if; end $$`,
    );
  for (const service of SERVICES) await query(database.url, `grant ${service} to ${OWNER} with admin option`);
  const url = new URL(database.url);
  [url.username, url.password] = [OWNER, 'owner'];
  owner = url.href;
});
afterAll(async () => {
  await query(database.url, `reassign owned by ${OWNER} to current_user`);
  await query(database.url, `drop owned by ${OWNER}`);
  await query(database.url, `drop role ${OWNER}`);
  await database.drop();
});

const passwords = (of: (service: string) => string) =>
  Object.fromEntries(SERVICES.map((service) => [`${service.toUpperCase()}_DATABASE_URL`, of(service)]));
const migrate = (env: Record<string, string>) => tidegate('database migrate --yes --reason test', { env });

describe('tidegate database migrate', () => {
  it('asks for the address of every role', async () => {
    const { exitCode, err } = await migrate({ DATABASE_URL: owner });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('GATEWAY_DATABASE_URL is not set')]);
  });

  it('refuses an address of another role', async () => {
    const env = { DATABASE_URL: owner, ...passwords(() => 'postgres://postgres:secret@127.0.0.1/tidegate') };
    expect(await migrate(env)).toMatchObject({ exitCode: 1, err: expect.stringContaining('must be the DATABASE_URL of gateway') });
  });

  it('makes every schema as an owner who is no superuser, and nothing the second time', async () => {
    // The passwords that the other tests' roles have: roles are of the whole server.
    const env = { DATABASE_URL: owner, ...passwords((service) => `postgres://${service}:${service}-in-tests@127.0.0.1/tidegate`) };
    const first = await migrate(env);
    expect([first.exitCode, new Set(saidBy(first))]).toEqual([0, new Set(['schema_migrated'])]);
    expect(first.out).toContain('payments: payments/0001_payments.sql');
    expect((await migrate(env)).out).toContain('Everything was up to date.');
  });

  it('says that it waits, while its result stays alone on stdout', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query(`SELECT pg_advisory_lock(hashtext('tidegate.migrate'))`);
    const env = { DATABASE_URL: owner, ...passwords((service) => `postgres://${service}:${service}-in-tests@127.0.0.1/tidegate`) };
    const waiting = tidegate('database migrate --yes --json --reason test', { env });
    const tries = new Set<string>();
    await eventually(async () => {
      const { rows } = await other.query<{ at: string }>(
        `SELECT query_start::text AS at FROM pg_stat_activity WHERE application_name LIKE 'migrate %' AND datname = current_database() AND query LIKE '%pg_try_advisory_lock%'`,
      );
      for (const { at } of rows) tries.add(at);
      expect(tries.size).toBeGreaterThan(2);
    });
    await other.end();
    const ran = await waiting;
    expect([ran.exitCode, saidBy(ran)]).toEqual([0, ['migration_waits']]);
    expect(JSON.parse(ran.out)).toMatchObject({ done: true });
  });
});

/** The events of the lines on stderr. */
const saidBy = ({ err }: Ran): string[] =>
  err
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: string }).event);
