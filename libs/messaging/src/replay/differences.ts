import { type DifferenceCounts, type RowDifference } from '@tidegate/contracts/ops/event-replays';
import { type RawBuilder, sql } from 'kysely';
import { type DerivedColumns, type Projection, type Tx } from './projection.js';
import { type Schemas } from './shadow-tables.js';

/** `touched`: the shadows hold only the rows that some events have touched, and everything else is left alone. */
export type Extent = 'everything' | 'touched';

export interface Differences {
  counts: DifferenceCounts;
  /** In order of table and key, at most MOST_ROWS. */
  rows: RowDifference[];
}

/** Rows that are kept of a comparison. */
export const MOST_ROWS = 1_000;

/** What the live tables of a projection have otherwise than their shadows, as this transaction sees both. */
export async function differencesOf(tx: Tx, schemas: Schemas, projection: Projection, extent: Extent): Promise<Differences> {
  const all: Differences = { counts: { missing: 0, extra: 0, different: 0 }, rows: [] };
  const tables = await tableRelations(tx, schemas, projection);
  const relations = [...tables, ...(projection.columns ?? []).map((derived) => columnsRelation(schemas, tables, derived, extent))];
  for (const relation of relations) {
    const counts = await countDifferences(tx, relation, extent);
    for (const kind of ['missing', 'extra', 'different'] as const) all.counts[kind] += counts[kind];
    if (counts.missing + counts.extra + counts.different > 0)
      all.rows.push(...(await listDifferences(tx, relation, extent, MOST_ROWS - all.rows.length)));
  }
  return all;
}

/** Replaces what differs, and nothing else, by the rows of the shadows. Parents come first, so children are deleted first. */
export async function replaceDifferences(tx: Tx, schemas: Schemas, projection: Projection, extent: Extent): Promise<void> {
  const relations = await tableRelations(tx, schemas, projection);
  for (const relation of relations.toReversed()) {
    const { live, shadow } = relation;
    const same = sql`${sameKey(relation)} AND NOT (${differs(relation)})`;
    const gone = sql`NOT EXISTS (SELECT 1 FROM ${shadow} AS s WHERE ${same})`;
    const known = sql`EXISTS (SELECT 1 FROM ${shadow} AS s WHERE ${sameKey(relation)})`;
    await sql`DELETE FROM ${live} AS l WHERE ${extent === 'everything' ? gone : sql`${known} AND ${gone}`}`.execute(tx);
  }
  for (const relation of relations) {
    const columns = sql.join(relation.columns.map((column) => sql.id(column)));
    await sql`
      INSERT INTO ${relation.live} (${columns}) OVERRIDING SYSTEM VALUE
      SELECT ${columns} FROM ${relation.shadow} AS s WHERE NOT EXISTS (SELECT 1 FROM ${relation.live} AS l WHERE ${sameKey(relation)})`.execute(
      tx,
    );
  }
  for (const derived of projection.columns ?? []) {
    const relation = columnsRelation(schemas, relations, derived, extent);
    const set = sql.join(derived.columns.map((column) => sql`${sql.id(column)} = s.${sql.id(column)}`));
    await sql`UPDATE ${relation.live} AS l SET ${set} FROM ${relation.shadow} AS s WHERE ${sameKey(relation)} AND (${differs(relation)})`.execute(
      tx,
    );
  }
}

/** A live table beside what it should be. */
interface Relation {
  table: string;
  live: RawBuilder<unknown>;
  shadow: RawBuilder<unknown>;
  key: readonly string[];
  /** Those that are compared, the key included. */
  columns: readonly string[];
  /** A record, of which rows are never missing or too many: only its columns are compared. */
  record: boolean;
}

async function tableRelations(tx: Tx, schemas: Schemas, { tables }: Projection): Promise<Relation[]> {
  const relations: Relation[] = [];
  for (const table of tables) {
    const [key, columns] = [await primaryKeyOf(tx, schemas.live, table), await columnsOf(tx, schemas.live, table)];
    relations.push({ table, live: sql.id(schemas.live, table), shadow: sql.id(schemas.rebuild, table), key, columns, record: false });
  }
  return relations;
}

function columnsRelation(schemas: Schemas, tables: readonly Relation[], derived: DerivedColumns, extent: Extent): Relation {
  const { table, key, columns, from } = derived;
  const source = tables.find((one) => one.table === from.table);
  if (!source) throw new Error(`Bug: ${from.table}, of which columns of ${table} follow, is not projected`);
  const rows = extent === 'everything' ? source.shadow : overlaid(source, from.group);
  return {
    table,
    live: sql.id(schemas.live, table),
    shadow: sql`(${derived.expected(rows)})`,
    key,
    columns: [...key, ...columns],
    record: true,
  };
}

/** The shadow's rows and, of the groups that it has any of, the live ones that it lacks. */
function overlaid(relation: Relation, group: readonly string[]): RawBuilder<unknown> {
  const { live, shadow } = relation;
  const sameGroup = sql.join(pairs(group, sql`=`), sql` AND `);
  return sql`(SELECT * FROM ${shadow} UNION ALL SELECT l.* FROM ${live} AS l
    WHERE EXISTS (SELECT 1 FROM ${shadow} AS s WHERE ${sameGroup}) AND NOT EXISTS (SELECT 1 FROM ${shadow} AS s WHERE ${sameKey(relation)}))`;
}

const pairs = (columns: readonly string[], operator: RawBuilder<unknown>): RawBuilder<unknown>[] =>
  columns.map((column) => sql`l.${sql.id(column)} ${operator} s.${sql.id(column)}`);

const sameKey = ({ key }: Relation): RawBuilder<unknown> => sql.join(pairs(key, sql`=`), sql` AND `);

/** Of two rows with one key. A table of nothing but its key cannot differ. */
function differs({ key, columns }: Relation): RawBuilder<unknown> {
  const values = columns.filter((column) => !key.includes(column));
  return values.length === 0 ? sql`false` : sql.join(pairs(values, sql`IS DISTINCT FROM`), sql` OR `);
}

/** Pairs of rows that are not alike; a row without its like stands alone. */
function unlike(relation: Relation, extent: Extent): RawBuilder<unknown> {
  const [first] = relation.key;
  const join = relation.record ? sql`JOIN` : extent === 'everything' ? sql`FULL JOIN` : sql`RIGHT JOIN`;
  return sql`
    FROM ${relation.live} AS l ${join} ${relation.shadow} AS s ON ${sameKey(relation)}
    WHERE l.${sql.id(first!)} IS NULL OR s.${sql.id(first!)} IS NULL OR ${differs(relation)}`;
}

async function countDifferences(tx: Tx, relation: Relation, extent: Extent): Promise<DifferenceCounts> {
  const first = sql.id(relation.key[0]!);
  const { rows } = await sql<DifferenceCounts>`
    SELECT count(*) FILTER (WHERE l.${first} IS NULL) AS missing, count(*) FILTER (WHERE s.${first} IS NULL) AS extra,
      count(*) FILTER (WHERE l.${first} IS NOT NULL AND s.${first} IS NOT NULL) AS different
    ${unlike(relation, extent)}`.execute(tx);
  return rows[0]!;
}

async function listDifferences(tx: Tx, relation: Relation, extent: Extent, limit: number): Promise<RowDifference[]> {
  const json = (side: 'l' | 's') =>
    sql`CASE WHEN ${sql.ref(`${side}.${relation.key[0]!}`)} IS NOT NULL THEN jsonb_build_object(${sql.join(
      relation.columns.flatMap((column) => [sql.lit(column), sql.ref(`${side}.${column}`)]),
    )}) END`;
  const order = sql.join(relation.key.map((column) => sql`coalesce(l.${sql.id(column)}, s.${sql.id(column)})`));
  const { rows } = await sql<{ live: Record<string, unknown> | null; replayed: Record<string, unknown> | null }>`
    SELECT ${json('l')} AS live, ${json('s')} AS replayed ${unlike(relation, extent)} ORDER BY ${order} LIMIT ${limit}`.execute(tx);
  return rows.map((row) => rowDifference(relation, row));
}

function rowDifference(
  { table, key, columns }: Relation,
  { live, replayed }: { live: Record<string, unknown> | null; replayed: Record<string, unknown> | null },
): RowDifference {
  const ofKey = only((live ?? replayed)!, key);
  if (!live) return { table, key: ofKey, kind: 'missing', live, replayed: only(replayed!, columns) };
  if (!replayed) return { table, key: ofKey, kind: 'extra', live: only(live, columns), replayed };
  const changed = columns.filter((column) => JSON.stringify(live[column]) !== JSON.stringify(replayed[column]));
  return { table, key: ofKey, kind: 'different', live: only(live, changed), replayed: only(replayed, changed) };
}

const only = (row: Record<string, unknown>, columns: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(columns.map((column) => [column, row[column]]));

async function primaryKeyOf(tx: Tx, schema: string, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT a.attname AS name FROM pg_index i
    JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n) ON true
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = to_regclass(${`"${schema}"."${table}"`}) AND i.indisprimary ORDER BY k.n`.execute(tx);
  if (rows.length === 0) throw new Error(`There is no table ${schema}.${table} with a primary key to compare`);
  return rows.map((row) => row.name);
}

async function columnsOf(tx: Tx, schema: string, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = ${schema} AND table_name = ${table} AND is_generated = 'NEVER' ORDER BY ordinal_position`.execute(tx);
  return rows.map((row) => row.name);
}
