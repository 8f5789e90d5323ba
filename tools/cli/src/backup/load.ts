import { schemasOf } from '@tidegate/database/schema-file';
import { STREAMS } from '@tidegate/messaging/topology';
import pg from 'pg';
import { onConnection } from '../database/on-connection.js';
import { advised, Failure } from '../exit.js';
import { migrationsOf, schemaNames } from './dump.js';
import { type DumpedTable, type Manifest, readManifest, readRows } from './dump-format.js';

const PAGE = 500;

export interface Loaded {
  restore_point: string;
  tables: number;
  rows: number;
  /** New epochs of the outboxes, by owner. */
  epochs: Record<string, string>;
}

/**
 * Fills a database that was just migrated and is empty from a backup, begins a new epoch in every outbox, and puts a hold on requests that move money, in one
 * transaction. Throws a Failure for a database that is in use, or of another version, or when the connection is lost.
 */
export async function load(url: string, folder: string, hold: { reason: string; actor: string }): Promise<Loaded> {
  const manifest = readManifest(folder);
  let committing = false;
  return onConnection({ url, name: 'tidegate restore' }, async (client) => {
    try {
      const loaded = await loadAll(client, manifest, folder, hold);
      committing = true;
      await client.query('COMMIT');
      return loaded;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'database.lost') throw error;
    throw advised(
      error,
      committing
        ? 'Whether all was loaded is not known. Begin again: when that says that the database is in use, it was, and `tidegate restore receipts` is left to be done.'
        : 'Nothing was loaded: begin again.',
    );
  });
}

async function loadAll(client: pg.Client, manifest: Manifest, folder: string, hold: { reason: string; actor: string }): Promise<Loaded> {
  await client.query('BEGIN');
  await client.query(`SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL timezone = 'UTC'`);
  await expectSameVersion(client, manifest);
  await expectEmpty(client);
  const rows = await fill(client, manifest, folder);
  const epochs = await beginEpochs(client);
  // What was open then may have gone on at Stripe since, and what was done since is not on record: payments looks there before it calls.
  await client.query('SELECT payments.database_was_restored($1)', [manifest.taken_at]);
  // A backup that was made while requests were held lacks all that was to be found then, too.
  await client.query(
    `INSERT INTO gateway.holds (restore_point, reason, actor, held_at) VALUES ($1, $2, $3, clock_timestamp())
     ON CONFLICT (only_row) DO UPDATE SET restore_point = least(holds.restore_point, excluded.restore_point), reason = excluded.reason, actor = excluded.actor, held_at = excluded.held_at`,
    [manifest.taken_at, hold.reason, hold.actor],
  );
  await client.query(
    `INSERT INTO gateway.operator_actions (at, actor, action, target, reason, details) VALUES (clock_timestamp(), $1, 'restore.load', $2, $3, $4)`,
    [hold.actor, manifest.taken_at, hold.reason, JSON.stringify({ rows, epochs })],
  );
  return { restore_point: manifest.taken_at, tables: manifest.tables.length, rows, epochs };
}

async function expectSameVersion(client: pg.Client, manifest: Manifest): Promise<void> {
  const here = await migrationsOf(client, schemaNames());
  for (const [schema, migrations] of Object.entries(manifest.migrations)) {
    const differing = [
      ...migrations.filter((one) => !here[schema]?.includes(one)),
      ...(here[schema] ?? []).filter((one) => !migrations.includes(one)),
    ];
    if (differing.length > 0)
      throw new Failure(
        'restore.other_version',
        `The backup is of other tables than this version's (${schema}: ${differing[0]?.split(' ')[0]}). Restore with the version that made it, then migrate.`,
      );
  }
}

/** Tenants are the first that anybody makes. */
async function expectEmpty(client: pg.Client): Promise<void> {
  const { rows } = await client.query('SELECT FROM gateway.tenants LIMIT 1');
  if (rows.length > 0) throw new Failure('restore.not_empty', 'This database is in use: a backup is loaded into a new one.');
}

async function fill(client: pg.Client, manifest: Manifest, folder: string): Promise<number> {
  const tables = await inOrder(client, manifest.tables);
  // History may be written by nobody but this: what a trigger forbids or checks has been checked when the rows came in.
  for (const table of tables) await client.query(`ALTER TABLE ${nameOf(table)} DISABLE TRIGGER USER`);
  await client.query(`TRUNCATE ${tables.map(nameOf).join(', ')}`);
  await makePartitions(client, manifest);
  let loaded = 0;
  for (const table of tables) {
    const columns = table.columns.map((column) => pg.escapeIdentifier(column));
    for await (const page of readRows(folder, table, PAGE)) {
      await client.query(
        `INSERT INTO ${nameOf(table)} (${columns.join(', ')}) OVERRIDING SYSTEM VALUE
         SELECT ${columns.map((column) => `(r).${column}`).join(', ')}
         FROM (SELECT line::${nameOf(table)} AS r FROM unnest($1::text[]) AS line OFFSET 0) AS lines`,
        [page],
      );
      loaded += page.length;
    }
  }
  for (const table of tables) await client.query(`ALTER TABLE ${nameOf(table)} ENABLE TRIGGER USER`);
  for (const { schema, name, last, called } of manifest.sequences)
    await client.query('SELECT setval(format($1, $2::text, $3::text)::regclass, $4::bigint, $5)', ['%I.%I', schema, name, last, called]);
  return loaded;
}

const nameOf = ({ schema, name }: { schema: string; name: string }): string =>
  `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;

/** Those that others refer to first. */
async function inOrder(client: pg.Client, tables: readonly DumpedTable[]): Promise<DumpedTable[]> {
  const { rows } = await client.query<{ child: string; parent: string }>(
    `SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint
     WHERE contype = 'f' AND conrelid <> confrelid AND connamespace::regnamespace::text = ANY ($1)`,
    [schemaNames()],
  );
  const parents = (table: DumpedTable) => rows.filter(({ child }) => child === `${table.schema}.${table.name}`).map(({ parent }) => parent);
  const ordered: DumpedTable[] = [];
  const waiting = [...tables];
  while (waiting.length > 0) {
    const next = waiting.findIndex((table) =>
      parents(table).every((parent) => !waiting.some(({ schema, name }) => `${schema}.${name}` === parent)),
    );
    if (next === -1) throw new Error(`Bug: tables refer to each other in a circle: ${waiting.map(nameOf).join(', ')}`);
    ordered.push(...waiting.splice(next, 1));
  }
  return ordered;
}

async function makePartitions(client: pg.Client, { partitions }: Manifest): Promise<void> {
  for (const { schema, name, of, bound } of partitions)
    await client.query(`CREATE TABLE IF NOT EXISTS ${nameOf({ schema, name })} PARTITION OF ${nameOf({ schema, name: of })} ${bound}`);
}

/** Positions after each outbox's head are given out a second time now: consumers are told so by a new epoch, as the relay begins one that finds a stream ahead of it. */
async function beginEpochs(client: pg.Client): Promise<Loaded['epochs']> {
  const epochs: Loaded['epochs'] = {};
  const owners = schemasOf().filter(({ schema }) => STREAMS.some(({ owner }) => owner === schema));
  for (const { schema } of owners) {
    const { rows } = await client.query<{ epoch: string }>(
      `UPDATE ${pg.escapeIdentifier(schema)}.outbox_state SET epoch = greatest(epoch + 1, extract(epoch FROM clock_timestamp())::bigint), epoch_start = head + 1 RETURNING epoch`,
    );
    epochs[schema] = rows[0]?.epoch ?? '';
  }
  return epochs;
}
