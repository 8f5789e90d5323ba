import { readdirSync } from 'node:fs';
import { schemasOf, sharedSchemasOf } from '@tidegate/database/schema-file';
import pg from 'pg';
import { onConnection } from '../database/on-connection.js';
import { advised, failureOf } from '../exit.js';
import { type DumpedTable, fileOf, type Manifest, PAGE_CHARACTERS, writeManifest, writeRows } from './dump-format.js';
import { makeEmptyFolder } from './empty-folder.js';

const FIRST_PAGE = 50;
const LARGEST_PAGE = 2_000;

export const schemaNames = (): string[] => [...schemasOf(), ...sharedSchemasOf()].map(({ schema }) => schema);

/**
 * Writes every row of every schema of Tidegate into an empty folder, all as of one instant; services may run. Needs no more than the rights of the tables' owner.
 * Without a `backup.json`, which is written last,
 * it is no backup. Throws a Failure when the folder holds something, the connection is lost or the disk is full.
 */
export async function dump(url: string, folder: string): Promise<Manifest> {
  makeEmptyFolder(folder);
  const dumped = onConnection({ url, name: 'tidegate backup' }, async (client) => {
    // What is read is of one instant. Nobody waits for it but who wants to change a table, such as a migration, which waits without keeping others waiting.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL timezone = 'UTC'`);
    const manifest = await dumpAll(client, folder);
    await client.query('COMMIT');
    writeManifest(folder, manifest);
    return manifest;
  });
  return dumped.catch((error: unknown) => {
    const failure = failureOf(error);
    if (failure === null || readdirSync(folder).length === 0) throw failure ?? error;
    throw advised(failure, `What is in ${folder} is no backup: delete it, and begin again.`);
  });
}

async function dumpAll(client: pg.Client, folder: string): Promise<Manifest> {
  const schemas = schemaNames();
  const [now] = (
    await client.query<{ taken_at: Date; version: string }>(
      `SELECT clock_timestamp() AS taken_at, current_setting('server_version') AS version`,
    )
  ).rows;
  const tables: DumpedTable[] = [];
  for (const table of await tablesOf(client, schemas)) {
    const rows = await writeRows(fileOf(folder, table), pagesOf(client, table));
    tables.push({ ...table, ...rows });
  }
  return {
    format: 1,
    taken_at: now?.taken_at.toISOString() ?? '',
    postgres: now?.version ?? '',
    migrations: await migrationsOf(client, schemas),
    tables,
    partitions: (await client.query<Manifest['partitions'][number]>(PARTITIONS, [schemas])).rows,
    sequences: await sequencesOf(client, schemas),
  };
}

const PARTITIONS = `
  SELECT n.nspname AS schema, c.relname AS name, p.relname AS of, pg_get_expr(c.relpartbound, c.oid) AS bound
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent
  WHERE c.relispartition AND c.relkind = 'r' AND n.nspname = ANY ($1) ORDER BY 1, 2`;

/** Tables with the columns that are stored: not those that follow from others. Which migrations ran is no content. */
async function tablesOf(client: pg.Client, schemas: readonly string[]): Promise<Pick<DumpedTable, 'schema' | 'name' | 'columns'>[]> {
  const { rows } = await client.query<{ schema: string; name: string; columns: string[] }>(
    `SELECT n.nspname AS schema, c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY ($1) AND c.relname <> 'migrations' AND a.attgenerated = ''
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [schemas],
  );
  return rows;
}

export async function migrationsOf(client: pg.Client, schemas: readonly string[]): Promise<Manifest['migrations']> {
  const found: Manifest['migrations'] = {};
  for (const schema of schemas) {
    const { rows } = await client.query<{ line: string }>(
      `SELECT id || ' ' || sha256 AS line FROM ${pg.escapeIdentifier(schema)}.migrations ORDER BY id`,
    );
    found[schema] = rows.map(({ line }) => line);
  }
  return found;
}

async function sequencesOf(client: pg.Client, schemas: readonly string[]): Promise<Manifest['sequences']> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT schemaname AS schema, sequencename AS name FROM pg_sequences WHERE schemaname = ANY ($1) ORDER BY 1, 2`,
    [schemas],
  );
  const found: Manifest['sequences'] = [];
  for (const { schema, name } of rows) {
    const state = await client.query<{ last: string; called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
    );
    found.push({ schema, name, last: state.rows[0]?.last ?? '1', called: state.rows[0]?.called ?? false });
  }
  return found;
}

/** Of as many rows as are of some megabytes together, where the next ones are as large as the largest of the last: of documents a page of thousands fits into no memory. */
async function* pagesOf(client: pg.Client, { schema, name }: Pick<DumpedTable, 'schema' | 'name'>): AsyncGenerator<string[]> {
  await client.query(
    `DECLARE page NO SCROLL CURSOR FOR SELECT t::text AS row FROM ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)} AS t`,
  );
  for (let size = FIRST_PAGE; ;) {
    const { rows } = await client.query<{ row: string }>(`FETCH ${size} FROM page`);
    if (rows.length === 0) break;
    yield rows.map(({ row }) => row);
    const largest = Math.max(...rows.map(({ row }) => row.length));
    size = Math.min(Math.max(Math.floor(PAGE_CHARACTERS / largest), 1), LARGEST_PAGE);
  }
  await client.query('CLOSE page');
}
