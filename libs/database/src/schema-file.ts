import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type MigrationsFolder } from './migration-files.js';

/** `services/<name>/schema.json`: the schema and role of a service, and the folders whose migrations make it, relative to the checkout. */
interface SchemaFile {
  schema: string;
  role: string;
  dirs: string[];
}

export interface ServiceSchema {
  schema: string;
  role: string;
  dirs: MigrationsFolder[];
}

/** This file is libs/database/{src,dist}/schema-file. */
const CHECKOUT = join(import.meta.dirname, '..', '..', '..');

/** The schemas of all services of a checkout, by name of the service. */
export function schemasOf(rootDir = CHECKOUT): ServiceSchema[] {
  const services = join(rootDir, 'services');
  return readdirSync(services)
    .sort()
    .map((service) => join(services, service, 'schema.json'))
    .filter((path) => existsSync(path))
    .map((path) => resolved(rootDir, JSON.parse(readFileSync(path, 'utf8')) as SchemaFile));
}

function resolved(rootDir: string, { schema, role, dirs }: SchemaFile): ServiceSchema {
  // The id of a folder is its package's name: `libs/messaging/migrations` is recorded as `messaging/…`.
  return { schema, role, dirs: dirs.map((dir) => ({ id: basename(dirname(dir)), path: join(rootDir, dir) })) };
}
