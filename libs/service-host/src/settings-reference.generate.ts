import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ServiceSettings, settingsReference } from './settings-reference.js';

// Prints docs/generated/configuration.md. Services are found by their built config.js, because no lib may import a service.
const services = fileURLToPath(new URL('../../../services/', import.meta.url));
const all: ServiceSettings[] = [];
for (const service of readdirSync(services).sort()) {
  const file = `${services}${service}/dist/config.js`;
  if (!existsSync(file)) continue;
  const exported = Object.values((await import(file)) as Record<string, unknown>);
  const schema = exported.find((one): one is z.ZodObject => one instanceof z.ZodObject && 'DATABASE_URL' in one.shape);
  if (schema) all.push({ service, schema });
}
process.stdout.write(settingsReference(all));
