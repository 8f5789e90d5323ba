import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@tidegate/database/migrate';
import { type Migration } from '@tidegate/test-harness/migration';

const LIBS = join(import.meta.dirname, '..', '..', '..');
const DIRS = [
  { id: 'database', path: join(LIBS, 'database', 'migrations') },
  { id: 'event-store', path: join(LIBS, 'event-store', 'migrations') },
  { id: 'messaging', path: join(LIBS, 'messaging', 'migrations') },
  { id: 'messaging-test', path: join(LIBS, 'messaging', 'test', 'migrations') },
];
export const SCHEMAS = ['payments', 'webhooks', 'receipts', 'reconciliation'] as const;
const passwordOf = (role: string) => `${role}-in-tests`;

/** The tables of messaging for four services, and a table of effects for their handlers. */
export const messagingMigration: Migration = {
  key: `messaging_${hash()}`,
  passwordOf,
  async run(adminUrl) {
    for (const schema of SCHEMAS) await migrate(adminUrl, { schema, role: schema, password: passwordOf(schema), dirs: DIRS });
  },
};

function hash(): string {
  const digest = createHash('sha256');
  for (const dir of DIRS) for (const file of readdirSync(dir.path).sort()) digest.update(file).update(readFileSync(join(dir.path, file)));
  return digest.digest('hex').slice(0, 12);
}
