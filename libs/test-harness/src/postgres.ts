import { randomBytes } from 'node:crypto';
import { query } from '@tidegate/local-stack/postgres/ping';
import { sharedTestPostgres, throwAwayPrefix } from '@tidegate/local-stack/postgres/shared-test-postgres';
import { eventually } from './eventually.js';
import { mustBeEnded } from './leaks.js';
import { type Migration, productMigration } from './migration.js';
import { migratedTemplate } from './migrated-template.js';

export interface PostgresForTestsOptions {
  /** What to run before the tests see the database: `product` (default) is every migration of every service; `none` is an empty database. */
  migrate?: 'product' | 'none' | Migration;
}

/** A database of one test file. */
export interface TestDatabase {
  name: string;
  /** URL of the administrator. */
  url: string;
  /** URL of the login role of a service, whose search_path is its own schema. */
  urlFor(role: string): string;
  /** Drops it. Fails when connections to it are still open: a pool that a test forgot to end. */
  drop(): Promise<void>;
}

/** A throw-away database on the shared test server, cloned from a template that has been migrated once. Takes some 50 ms. */
export async function postgresForTests(options: PostgresForTestsOptions = {}): Promise<TestDatabase> {
  const server = await sharedTestPostgres();
  const adminUrl = server.url;
  const name = `${throwAwayPrefix}${process.pid}_${randomBytes(5).toString('hex')}`;
  const migration = await chosenMigration(options.migrate ?? 'product');
  const template = migration === undefined ? 'template0' : await migratedTemplate(server, migration);
  // Without fsync, copying files takes half the work of writing their pages to the log.
  await query(adminUrl, `create database "${name}" template "${template}" strategy file_copy`);
  if (migration !== undefined) await copyRoleSettings(adminUrl, { from: template, to: name });
  const ended = mustBeEnded(`the test database ${name}`);
  return {
    name,
    url: inDatabase(adminUrl, name),
    urlFor: (role) => asRole(inDatabase(adminUrl, name), role, migration?.passwordOf(role)),
    async drop() {
      ended();
      await drop(adminUrl, name);
    },
  };
}

async function chosenMigration(choice: 'product' | 'none' | Migration): Promise<Migration | undefined> {
  if (choice === 'none') return undefined;
  return choice === 'product' ? productMigration() : choice;
}

/** A clone has everything of its template but what its roles were told for it, such as their search_path. */
async function copyRoleSettings(adminUrl: string, { from, to }: { from: string; to: string }): Promise<void> {
  const statements = await query<{ statement: string }>(
    adminUrl,
    `select format('alter role %I in database %I set %I = %s', rolname, $2::text, split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)) as statement
     from pg_db_role_setting join pg_roles on pg_roles.oid = setrole join pg_database on pg_database.oid = setdatabase, unnest(setconfig) as setting
     where datname = $1`,
    [from, to],
  );
  if (statements.length > 0) await query(adminUrl, statements.map(({ statement }) => statement).join('; '));
}

async function drop(adminUrl: string, name: string): Promise<void> {
  let leaked: unknown;
  try {
    // A backend outlives its connection's end by a moment.
    await eventually(() => expectNoConnections(adminUrl, name), { timeoutMs: 2000 });
  } catch (error) {
    leaked = error;
  }
  await query(adminUrl, `drop database if exists "${name}" with (force)`);
  if (leaked !== undefined) throw leaked;
}

async function expectNoConnections(adminUrl: string, name: string): Promise<void> {
  const open = await query<{ usename: string; query: string }>(
    adminUrl,
    `select usename, left(query, 80) as query from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
    [name],
  );
  if (open.length > 0)
    throw new Error(
      `${open.length} connection(s) to the test database were left open: ${open.map((one) => `${one.usename}: ${one.query}`).join('; ')}`,
    );
}

function inDatabase(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function asRole(databaseUrl: string, role: string, password: string | undefined): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password ?? '';
  return url.href;
}
