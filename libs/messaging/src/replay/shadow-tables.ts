import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type Tx } from './projection.js';

/** The schemas of the connection: its own, and the one in which it may create the tables of a rebuild. */
export interface Schemas {
  live: string;
  rebuild: string;
}

export async function schemasOfConnection(db: Db): Promise<Schemas> {
  const { rows } = await sql<{ live: string }>`SELECT current_schema() AS live`.execute(db);
  const live = rows[0]?.live;
  if (!live) throw new Error('Bug: the connection has no schema');
  return { live, rebuild: `${live}_rebuild` };
}

/** The aggregates that a replay from a certain place on is about; named after the first table of the projection. */
export const touchedTable = (schemas: Schemas, tables: readonly string[]) => sql.id(schemas.rebuild, `${tables[0]}_touched`);

/**
 * Fresh empty copies of the tables (columns, defaults, constraints, indexes; no foreign keys, no triggers) in the rebuild schema. With `lookups`, of the indexes that make
 * nothing unique only these: nobody but the handlers reads the copies by an index, and each costs as much as the row.
 */
export async function createShadows(db: Db, schemas: Schemas, tables: readonly string[], lookups?: readonly string[]): Promise<void> {
  await dropShadows(db, schemas, tables);
  for (const table of tables)
    await sql`CREATE TABLE ${sql.id(schemas.rebuild, table)} (LIKE ${sql.id(schemas.live, table)} INCLUDING ALL)`.execute(db);
  await sql`CREATE TABLE ${touchedTable(schemas, tables)} (consumer text, aggregate text, PRIMARY KEY (consumer, aggregate))`.execute(db);
  if (lookups) await dropOtherIndexes(db, schemas, tables, lookups);
}

/** The copies of indexes have names of their own, so they are known by what they are. */
async function dropOtherIndexes(db: Db, { live, rebuild }: Schemas, tables: readonly string[], lookups: readonly string[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
    WHERE t.relnamespace = ${`"${rebuild}"`}::regnamespace AND t.relname = ANY(${tables}) AND NOT i.indisunique AND NOT EXISTS (
      SELECT 1 FROM pg_index AS l JOIN pg_class AS lc ON lc.oid = l.indexrelid JOIN pg_class AS lt ON lt.oid = l.indrelid
      WHERE lt.relnamespace = ${`"${live}"`}::regnamespace AND lt.relname = t.relname AND lc.relname = ANY(${lookups})
        AND substring(pg_get_indexdef(l.indexrelid) FROM ' USING .*') = substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*'))`.execute(
    db,
  );
  for (const { name } of rows) await sql`DROP INDEX ${sql.id(rebuild, name)}`.execute(db);
}

export async function analyzeShadows(db: Db, schemas: Schemas, tables: readonly string[]): Promise<void> {
  if (tables.length > 0) await sql`ANALYZE ${sql.join(tables.map((table) => sql.id(schemas.rebuild, table)))}`.execute(db);
}

export async function dropShadows(db: Db, schemas: Schemas, tables: readonly string[]): Promise<void> {
  for (const table of [touchedTable(schemas, tables), ...tables.map((name) => sql.id(schemas.rebuild, name))])
    await sql`DROP TABLE IF EXISTS ${table}`.execute(db);
}

/** For this transaction unqualified names mean the shadows, and everything else the live schema. */
export async function lookAtShadows(tx: Tx, schemas: Schemas): Promise<void> {
  await sql`SELECT set_config('search_path', ${`"${schemas.rebuild}", "${schemas.live}"`}, true)`.execute(tx);
}

export async function lookAtLive(tx: Tx, { live }: Schemas): Promise<void> {
  await sql`SELECT set_config('search_path', ${`"${live}"`}, true)`.execute(tx);
}

/**
 * Waits until nobody writes to the live tables and keeps it so; readers go on. Before any other lock: a handler holds rows of these tables when it
 * asks for its generation.
 */
export async function stopWriters(tx: Tx, schemas: Schemas, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  await sql`LOCK TABLE ${sql.join(tables.map((table) => sql.id(schemas.live, table)))} IN EXCLUSIVE MODE`.execute(tx);
}
