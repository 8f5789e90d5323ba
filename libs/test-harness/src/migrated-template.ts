import { join } from 'node:path';
import { withFolderLock } from '@tidegate/local-stack/process/folder-lock';
import { query } from '@tidegate/local-stack/postgres/ping';
import { type SharedTestPostgres } from '@tidegate/local-stack/postgres/shared-test-postgres';
import { type Migration } from './migration.js';

/**
 * The name of a database on which that migration has run, made when there is none yet. One process at a time: migrations create roles, which belong to
 * the whole server. It takes no connections, because a database in use cannot be cloned.
 */
export async function migratedTemplate(server: SharedTestPostgres, migration: Migration): Promise<string> {
  const name = `template_${migration.key}`;
  await withFolderLock(join(server.home, 'template-lock'), async () => {
    const found = await query(server.url, 'select 1 from pg_database where datname = $1 and not datallowconn', [name]);
    if (found.length > 0) return;
    await query(server.url, `drop database if exists "${name}" with (force)`);
    await query(server.url, `create database "${name}" template template0`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    await migration.run(url.href);
    await query(server.url, `alter database "${name}" allow_connections false`);
  });
  return name;
}
