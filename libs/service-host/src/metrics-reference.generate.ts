import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@tidegate/telemetry/logger';
import { assemble } from './assemble.js';
import type { BaseConfig } from './base-config.js';
import { metricsReference, type ServiceMetrics } from './metrics-reference.js';
import type { HostSpec } from './service-parts.js';
import { runSteps } from './shutdown.js';

// Prints docs/generated/metrics.md. Each service is put together as it is at its start, without a database or a broker, and asked what it registered. Services
// are found by their built hosted.js, because no lib may import a service.
const NOWHERE = '127.0.0.1:1';
// eslint-disable-next-line no-restricted-properties -- the services' own config.ts read it
Object.assign(process.env, {
  DATABASE_URL: `postgres://nobody@${NOWHERE}/nothing`,
  NATS_URL: `nats://${NOWHERE}`,
  STRIPE_API_BASE: `http://${NOWHERE}`,
  STRIPE_SECRET_KEY: ['sk', 'test', 'nobody'].join('_'),
  STRIPE_WEBHOOK_SECRET: ['whsec', 'nobody'].join('_'),
});
const services = fileURLToPath(new URL('../../../services/', import.meta.url));
const logger = createLogger({ service: 'generator', level: 'silent' });
const all: ServiceMetrics[] = [];
for (const service of readdirSync(services).sort()) {
  const file = `${services}${service}/dist/hosted.js`;
  if (!existsSync(file)) continue;
  const { hosted } = (await import(file)) as { hosted: HostSpec<BaseConfig> };
  const { context, app, closing } = await assemble(hosted, logger);
  all.push({ service, metrics: context.metrics.registered() });
  await app.close();
  await runSteps(closing, logger);
}
process.stdout.write(metricsReference(all));
