import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type MigrationsFolder } from './migration-files.js';

/**
 * `services/<name>/schema.json`: the schema and role of a service, and the folders whose migrations make it, relative to the checkout. `shared` are further
 * schemas that the service migrates for several roles.
 */
interface SchemaFile {
  schema: string;
  role: string;
  dirs: string[];
  shared?: { schema: string; roles: string[]; dirs: string[] }[];
}

export interface ServiceSchema {
  schema: string;
  role: string;
  dirs: MigrationsFolder[];
}

/** This file is libs/database/{src,dist}/schema-file. */
const CHECKOUT = join(import.meta.dirname, '..', '..', '..');

/** A schema without a login role of its own: those of several services may use it, each as far as its migrations grant. */
export interface SharedSchema {
  schema: string;
  roles: string[];
  dirs: MigrationsFolder[];
}

/** The schemas of all services of a checkout, by name of the service. */
export function schemasOf(rootDir = CHECKOUT): ServiceSchema[] {
  return schemaFiles(rootDir).map(({ schema, role, dirs }) => ({ schema, role, dirs: folders(rootDir, dirs) }));
}

/** The schemas that services migrate for each other; to be migrated when all roles are there. */
export function sharedSchemasOf(rootDir = CHECKOUT): SharedSchema[] {
  return schemaFiles(rootDir).flatMap(({ shared = [] }) =>
    shared.map(({ schema, roles, dirs }) => ({ schema, roles, dirs: folders(rootDir, dirs) })),
  );
}

function schemaFiles(rootDir: string): SchemaFile[] {
  const services = join(rootDir, 'services');
  return readdirSync(services)
    .sort()
    .map((service) => join(services, service, 'schema.json'))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as SchemaFile);
}

/** The id of a folder is its package's name: `libs/messaging/migrations` is recorded as `messaging/…`. */
const folders = (rootDir: string, dirs: readonly string[]): MigrationsFolder[] =>
  dirs.map((dir) => ({ id: basename(dirname(dir)), path: join(rootDir, dir) }));
