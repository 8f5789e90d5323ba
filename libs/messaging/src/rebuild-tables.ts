import { type Db } from '@tidegate/database/database';
import { sql, type Transaction } from 'kysely';

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

/** Fresh empty copies of the tables (columns, defaults, constraints, indexes; no foreign keys, no triggers) in the rebuild schema. */
export async function createShadows(db: Db, schemas: Schemas, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await sql`DROP TABLE IF EXISTS ${sql.id(schemas.rebuild, table)}`.execute(db);
    await sql`CREATE TABLE ${sql.id(schemas.rebuild, table)} (LIKE ${sql.id(schemas.live, table)} INCLUDING ALL)`.execute(db);
  }
}

export async function dropShadows(db: Db, schemas: Schemas, tables: readonly string[]): Promise<void> {
  for (const table of tables) await sql`DROP TABLE IF EXISTS ${sql.id(schemas.rebuild, table)}`.execute(db);
}

/** For this transaction unqualified names mean the shadows, and everything else the live schema. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function lookAtShadows(tx: Transaction<any>, schemas: Schemas): Promise<void> {
  await sql`SELECT set_config('search_path', ${`"${schemas.rebuild}", "${schemas.live}"`}, true)`.execute(tx);
}

/**
 * Waits until nobody writes to the live tables and keeps it so; readers go on. Before any other lock: a handler holds rows of these tables when it
 * asks for its generation.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function stopWriters(tx: Transaction<any>, schemas: Schemas, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  await sql`LOCK TABLE ${sql.join(tables.map((table) => sql.id(schemas.live, table)))} IN EXCLUSIVE MODE`.execute(tx);
}

/** Puts the rows of the shadows in place of the live ones. Tables are given parents first. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export async function replaceRows(tx: Transaction<any>, schemas: Schemas, tables: readonly string[]): Promise<void> {
  for (const table of [...tables].reverse()) await sql`DELETE FROM ${sql.id(schemas.live, table)}`.execute(tx);
  for (const table of tables) {
    const columns = sql.join((await columnsOf(tx, schemas.live, table)).map((column) => sql.id(column)));
    await sql`
      INSERT INTO ${sql.id(schemas.live, table)} (${columns}) OVERRIDING SYSTEM VALUE
      SELECT ${columns} FROM ${sql.id(schemas.rebuild, table)}`.execute(tx);
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
async function columnsOf(tx: Transaction<any>, schema: string, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = ${schema} AND table_name = ${table} AND is_generated = 'NEVER' ORDER BY ordinal_position`.execute(tx);
  if (rows.length === 0) throw new Error(`There is no table ${schema}.${table} to rebuild`);
  return rows.map((row) => row.name);
}
