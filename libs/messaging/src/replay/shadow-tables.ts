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

/** Fresh empty copies of the tables (columns, defaults, constraints, indexes; no foreign keys, no triggers) in the rebuild schema. */
export async function createShadows(db: Db, schemas: Schemas, tables: readonly string[]): Promise<void> {
  await dropShadows(db, schemas, tables);
  for (const table of tables)
    await sql`CREATE TABLE ${sql.id(schemas.rebuild, table)} (LIKE ${sql.id(schemas.live, table)} INCLUDING ALL)`.execute(db);
  await sql`CREATE TABLE ${touchedTable(schemas, tables)} (consumer text, aggregate text, PRIMARY KEY (consumer, aggregate))`.execute(db);
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
