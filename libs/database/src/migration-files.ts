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
}

/** The folder's files in order. Throws when a name is not numbered or a number is used twice. */
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
    return { id: `${folder.id}/${name}`, sha256: createHash('sha256').update(sql).digest('hex'), sql };
  });
}
