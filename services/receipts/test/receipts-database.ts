import { createHash } from 'node:crypto';
import { type Database, openDatabase } from '@tidegate/database/database';
import { migrate } from '@tidegate/database/migrate';
import { readMigrations } from '@tidegate/database/migration-files';
import { schemasOf } from '@tidegate/database/schema-file';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import type { Tables } from '../src/tables.js';

export const silent = createLogger({ service: 'receipts', level: 'silent' });

/** A database with the receipts' schema alone. */
export async function receiptsDatabase(): Promise<TestDatabase> {
  const schema = schemasOf().find((one) => one.schema === 'receipts');
  if (!schema) throw new Error('schema.json of receipts is missing');
  const hash = createHash('sha256');
  for (const file of schema.dirs.flatMap(readMigrations)) hash.update(file.id).update(file.sha256);
  const passwordOf = (role: string) => `${role}-in-tests`;
  return postgresForTests({
    migrate: {
      key: `receipts_${hash.digest('hex').slice(0, 16)}`,
      run: async (adminUrl) => void (await migrate(adminUrl, { ...schema, password: passwordOf(schema.role) })),
      passwordOf,
    },
  });
}

export function connect(database: TestDatabase, poolSize = 5): Database<Tables> {
  return openDatabase<Tables>({ url: database.urlFor('receipts'), poolSize, applicationName: 'receipts test' }, silent);
}
