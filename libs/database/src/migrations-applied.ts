import { type Kysely, sql } from 'kysely';
import { readMigrations } from './migration-files.js';
import { schemasOf } from './schema-file.js';

/** Migrations of this version that have not run; what it reads and writes may not be there. */
export class MigrationsMissing extends Error {
  override readonly name = 'MigrationsMissing';
  constructor(readonly missing: readonly string[]) {
    super(`${missing.length} migrations have not run, the first is ${missing[0]}`);
  }
}

/**
 * For readiness: throws MigrationsMissing until every migration of the schema that this version brings has run, so that a rollout that came before its
 * migrations stops at the first process and the version before goes on. Those of a later version do not matter. Asks no more once all have run.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database
export function migrationsApplied(db: Kysely<any>, schema: string, rootDir?: string): () => Promise<void> {
  const own = schemasOf(rootDir).find((one) => one.schema === schema);
  if (own === undefined) throw new Error(`Bug: there is no schema ${schema}`);
  const wanted = own.dirs.flatMap(readMigrations).map(({ id }) => id);
  let complete = false;
  return async () => {
    if (complete) return;
    const { rows } = await sql<{ id: string }>`SELECT id FROM ${sql.table(`${schema}.migrations`)}`.execute(db);
    const applied = new Set(rows.map(({ id }) => id));
    const missing = wanted.filter((id) => !applied.has(id));
    if (missing.length > 0) throw new MigrationsMissing(missing);
    complete = true;
  };
}
