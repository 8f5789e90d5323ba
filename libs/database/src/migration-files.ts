import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder of numbered SQL files, `0001_what.sql`. */
export interface MigrationsFolder {
  id: string;
  path: string;
}

export interface MigrationFile {
  /** `<folder id>/<file name>` */
  id: string;
  sha256: string;
  sql: string;
  /** Of a file that builds or drops indexes CONCURRENTLY, and does nothing else: its statements. */
  concurrently?: readonly IndexStatement[];
}

/** One that says the same a second time, so that it may be run again when it was cut off. */
export interface IndexStatement {
  index: string;
  sql: string;
}

const CONCURRENTLY = /\bCONCURRENTLY\b/i;
const INDEX_STATEMENT = /^(?:CREATE(?: UNIQUE)? INDEX CONCURRENTLY IF NOT EXISTS|DROP INDEX CONCURRENTLY IF EXISTS) ([a-z0-9_]+)\b/;

/** The folder's files in order. Throws when a name is not numbered, a number is used twice, or what is done CONCURRENTLY stands beside something else. */
export function readMigrations(folder: MigrationsFolder): MigrationFile[] {
  const names = readdirSync(folder.path)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const numbers = new Set<string>();
  return names.map((name) => {
    const number = /^(\d{4})_/.exec(name)?.[1];
    if (number === undefined) throw new Error(`${folder.path}/${name} must be named 0001_what.sql`);
    if (numbers.has(number)) throw new Error(`${folder.path} has two migrations numbered ${number}`);
    numbers.add(number);
    const sql = readFileSync(join(folder.path, name), 'utf8');
    const file = { id: `${folder.id}/${name}`, sha256: createHash('sha256').update(sql).digest('hex'), sql };
    const concurrently = indexStatements(file);
    return concurrently === null ? file : { ...file, concurrently };
  });
}

/** Null when nothing is done CONCURRENTLY. */
function indexStatements({ id, sql }: MigrationFile): IndexStatement[] | null {
  const statements = sql
    .replace(/--[^\n]*/g, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  if (!statements.some((statement) => CONCURRENTLY.test(statement))) return null;
  return statements.map((statement) => {
    const index = INDEX_STATEMENT.exec(statement)?.[1];
    if (index === undefined)
      throw new Error(`${id}: beside an index that is built CONCURRENTLY stand only others, IF NOT EXISTS or IF EXISTS: ${statement}`);
    return { index, sql: statement };
  });
}
