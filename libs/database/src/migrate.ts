import { setTimeout as delay } from 'node:timers/promises';
import { type Logger } from '@tidegate/telemetry/logger';
import pg from 'pg';
import { CONNECTION_TIMEOUTS } from './connection-timeouts.js';
import { type IndexStatement, type MigrationFile, readMigrations, type MigrationsFolder } from './migration-files.js';
import { ensureRole } from './role.js';
import { schemasOf, type SharedSchema, sharedSchemasOf } from './schema-file.js';

export interface SchemaMigrations {
  schema: string;
  /** Login role of the service; owns nothing. */
  role: string;
  password: string;
  /** Run in this order; `id` goes into the recorded names and must never change. */
  dirs: readonly MigrationsFolder[];
}

/** A file that has run was changed afterwards; migrations are immutable. */
export class ChangedMigration extends Error {
  constructor(schema: string, id: string) {
    super(`Migration ${schema}: ${id} has already run and was changed since; write a new one instead`);
    this.name = 'ChangedMigration';
  }
}

/**
 * Brings one schema up to date as the administrator: the schema, its login role (search_path = the schema), every numbered SQL file that has not run yet, each in a
 * transaction of its own that gives way to whoever uses a table, but for indexes that are built CONCURRENTLY; a new schema in one. Tables made by a migration are readable and writable for the role unless the migration revokes that. In the files
 * `:"role"`, `:"schema"` and `:"rebuild"` (the schema for tables under rebuild) stand for quoted names. Concurrent callers wait for each other.
 */
export function migrate(adminUrl: string, migrations: SchemaMigrations, logger?: Logger): Promise<{ applied: string[] }> {
  return bringUpToDate(adminUrl, migrations, { prepare: (client) => prepareSchema(client, migrations), roles: [migrations.role] }, logger);
}

/**
 * The same for a schema that several services use: their roles, which must be there, may look into it and nothing more unless a migration grants it.
 * `:"roles"` stands for all of them.
 */
export function migrateShared(adminUrl: string, shared: SharedSchema, logger?: Logger): Promise<{ applied: string[] }> {
  return bringUpToDate(adminUrl, shared, { prepare: (client) => prepareShared(client, shared), roles: shared.roles }, logger);
}

async function bringUpToDate(
  adminUrl: string,
  migrations: Pick<SchemaMigrations, 'schema' | 'dirs'>,
  { prepare, roles }: { prepare(client: pg.Client): Promise<void>; roles: readonly string[] },
  logger?: Logger,
): Promise<{ applied: string[] }> {
  const files = migrations.dirs.flatMap(readMigrations);
  const client = new pg.Client({ connectionString: adminUrl, application_name: `migrate ${migrations.schema}`, ...CONNECTION_TIMEOUTS });
  // Whoever asks next is told that the connection is lost; unheard, it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    // One whose client is gone ends by itself, also while it waits; not every system can tell.
    await client.query(`SET client_connection_check_interval = '5s'`).catch(() => undefined);
    await takeTurn(client, logger);
    const { applied, left } = await inOneTransaction(client, async () => {
      await prepare(client);
      const missing = await filesToApply(client, migrations.schema, files);
      if (missing.length < files.length) return { applied: [] as string[], left: missing };
      // Nobody uses tables that are not there yet: all of them come, or none.
      for (const file of missing) await apply(client, migrations.schema, roles, file);
      return { applied: missing.map(({ id }) => id), left: [] as MigrationFile[] };
    });
    for (const file of left) {
      if (file.concurrently) await applyConcurrently(client, migrations.schema, file, file.concurrently, logger);
      else await patiently(logger, () => inOneTransaction(client, () => apply(client, migrations.schema, roles, file, LOCK_WAIT_MS)));
      applied.push(file.id);
    }
    if (applied.length > 0) logger?.info({ event: 'schema_migrated', schema: migrations.schema, applied }, 'Schema migrated');
    return { applied };
  } finally {
    await client.end();
  }
}

const TURN_MS = 250;

/**
 * One for all schemas: roles belong to the whole server. Whoever waited in the database for it would have a snapshot, and an index that is built CONCURRENTLY waits for
 * all snapshots that are older than itself.
 */
async function takeTurn(client: pg.Client, logger?: Logger): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { rows } = await client.query<{ taken: boolean }>(`SELECT pg_try_advisory_lock(hashtext('tidegate.migrate')) AS taken`);
    if (rows[0]?.taken) return;
    if (tries === 2) logger?.warn({ event: 'migration_waits' }, 'Another migration is under way; it is waited for');
    await delay(TURN_MS);
  }
}

/** Whoever asks for a table behind one who waits for all of it waits, too: a backup that reads for an hour would stop the service. */
const LOCK_WAIT_MS = 500;
const AGAIN_MS = 2_000;
const MOST_TRIES = 300;
/** Lock not available, deadlock: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const IN_USE: readonly (string | undefined)[] = ['55P03', '40P01'];

/** Tries again when a table is in use; throws after MOST_TRIES, which takes some twelve minutes. */
async function patiently<T>(logger: Logger | undefined, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!IN_USE.includes(codeOf(error)) || tries >= MOST_TRIES) throw error;
      logger?.warn(
        { event: 'migration_waits', err: error },
        'A table is in use, perhaps by a backup; nothing was changed, and it is tried again',
      );
      await delay(AGAIN_MS);
    }
  }
}

/** PostgreSQL's, also of a file that failed. */
const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = error as { code?: string; cause?: unknown };
  return code ?? (cause === undefined ? undefined : codeOf(cause));
};

async function inOneTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const done = await work();
    await client.query('COMMIT');
    return done;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

export interface MigrateAllOptions {
  /** Password of a service's login role. */
  password(role: string): string;
  /** The checkout; by default the one this file is in. */
  rootDir?: string;
  logger?: Logger;
}

/** Migrates the schema of every service, as each `services/<name>/schema.json` lists its folders, then what they share. */
export async function migrateAll(adminUrl: string, options: MigrateAllOptions): Promise<{ applied: string[] }> {
  const applied: string[] = [];
  for (const schema of schemasOf(options.rootDir)) {
    const done = await migrate(adminUrl, { ...schema, password: options.password(schema.role) }, options.logger);
    applied.push(...done.applied.map((id) => `${schema.schema}: ${id}`));
  }
  for (const shared of sharedSchemasOf(options.rootDir)) {
    const done = await migrateShared(adminUrl, shared, options.logger);
    applied.push(...done.applied.map((id) => `${shared.schema}: ${id}`));
  }
  return { applied };
}

async function prepareSchema(client: pg.Client, { schema, role, password }: SchemaMigrations): Promise<void> {
  await ensureRole(client, { schema, role, password });
  const [schemaName, roleName] = [pg.escapeIdentifier(schema), pg.escapeIdentifier(role)];
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`);
  await client.query(`GRANT USAGE ON SCHEMA ${schemaName} TO ${roleName}`);
  await client.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schemaName} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${roleName}`);
  await client.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${schemaName} GRANT USAGE, SELECT ON SEQUENCES TO ${roleName}`);
  await prepareRecord(client, schemaName);
  await client.query(`REVOKE INSERT, UPDATE, DELETE ON migrations FROM ${roleName}`);
}

async function prepareShared(client: pg.Client, { schema, roles }: SharedSchema): Promise<void> {
  const schemaName = pg.escapeIdentifier(schema);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`);
  await client.query(`GRANT USAGE ON SCHEMA ${schemaName} TO ${quoted(roles)}`);
  await prepareRecord(client, schemaName);
}

async function prepareRecord(client: pg.Client, schemaName: string): Promise<void> {
  await client.query(`SET LOCAL search_path = ${schemaName}`);
  await client.query(
    'CREATE TABLE IF NOT EXISTS migrations (id text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
}

/** Those that have not run. Throws ChangedMigration. */
async function filesToApply(client: pg.Client, schema: string, files: readonly MigrationFile[]): Promise<MigrationFile[]> {
  const recorded = await client.query<{ id: string; sha256: string }>('SELECT id, sha256 FROM migrations');
  const known = new Map(recorded.rows.map((row) => [row.id, row.sha256]));
  for (const { id, sha256 } of files) if (known.has(id) && known.get(id) !== sha256) throw new ChangedMigration(schema, id);
  return files.filter(({ id }) => !known.has(id));
}

/** In a transaction of the caller's; waits no longer than `lockWaitMs` for a table, if that is given. */
async function apply(client: pg.Client, schema: string, roles: readonly string[], file: MigrationFile, lockWaitMs = 0): Promise<void> {
  await client.query(`SET LOCAL search_path = ${pg.escapeIdentifier(schema)}`);
  await client.query(`SET LOCAL lock_timeout = '${lockWaitMs}ms'`);
  await run(client, schema, roles, file);
  await client.query('INSERT INTO migrations (id, sha256) VALUES ($1, $2)', [file.id, file.sha256]);
}

/**
 * Statement by statement, none in a transaction: nobody waits for it, however large the table, and it waits for every transaction that began before it, such as a backup. What
 * was cut off left an index that is not valid, which is built anew: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 */
async function applyConcurrently(
  client: pg.Client,
  schema: string,
  file: MigrationFile,
  statements: readonly IndexStatement[],
  logger?: Logger,
): Promise<void> {
  await client.query(`SET search_path = ${pg.escapeIdentifier(schema)}`);
  for (const { index, sql } of statements) {
    logger?.info(
      { event: 'migration_index', schema, index },
      'Building or dropping an index beside the traffic; a long transaction may delay it',
    );
    await patiently(logger, async () => {
      const { rowCount: cutOff } = await client.query('SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid', [
        index,
      ]);
      if (cutOff) await client.query(`DROP INDEX CONCURRENTLY ${pg.escapeIdentifier(index)}`);
      await client.query(sql);
    }).catch((error: unknown) => {
      throw failed(schema, file, error);
    });
  }
  await client.query('INSERT INTO migrations (id, sha256) VALUES ($1, $2)', [file.id, file.sha256]);
}

const failed = (schema: string, { id }: MigrationFile, cause: unknown): Error =>
  new Error(`Migration ${schema}: ${id} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });

async function run(client: pg.Client, schema: string, roles: readonly string[], file: MigrationFile): Promise<void> {
  const names: Record<string, readonly string[]> = {
    role: roles.slice(0, 1),
    roles,
    schema: [schema],
    rebuild: [rebuildSchemaOf(schema)],
  };
  try {
    // Nobody uses the tables of a new schema.
    const text = file.concurrently ? file.sql.replaceAll(/\bCONCURRENTLY\b/g, '') : file.sql;
    await client.query(text.replace(/:"(roles?|schema|rebuild)"/g, (_, name: string) => quoted(names[name] ?? [])));
    await client.query(`SET LOCAL search_path = ${pg.escapeIdentifier(schema)}`);
  } catch (error) {
    throw failed(schema, file, error);
  }
}

const quoted = (names: readonly string[]): string => names.map((name) => pg.escapeIdentifier(name)).join(', ');

/** Where a service may create the tables that a rebuild fills before they replace the live ones. */
export const rebuildSchemaOf = (schema: string): string => `${schema}_rebuild`;
