import { join } from 'node:path';
import { migrate } from '@tidegate/database/migrate';

export interface ConsumerSchema {
  /** The schema that is the consumer's own, and the login role that owns none of its tables. */
  schema: string;
  /** Like the schema by default. */
  role?: string;
  password: string;
  /** A folder of numbered SQL files, `0001_what.sql`, for the consumer's own tables. Never change one that has run. */
  migrations?: string;
}

/** This file is messaging/{src,dist}/consumer-schema, beside database. */
const PACKAGE = join(import.meta.dirname, '..');
const DIRS = [
  { id: 'database', path: join(PACKAGE, '..', 'database', 'migrations') },
  { id: 'messaging', path: join(PACKAGE, 'migrations') },
];

/**
 * Brings a consumer's schema up to date as the administrator, in one transaction: inbox and leases, then the consumer's own tables, which its role may read
 * and write. Answers which files have run now. Concurrent callers wait for each other.
 */
export function migrateConsumer(
  adminUrl: string,
  { schema, role = schema, password, migrations }: ConsumerSchema,
): Promise<{ applied: string[] }> {
  const own = migrations === undefined ? [] : [{ id: 'consumer', path: migrations }];
  return migrate(adminUrl, { schema, role, password, dirs: [...DIRS, ...own] });
}
