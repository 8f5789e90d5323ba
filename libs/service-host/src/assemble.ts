import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openDatabase } from '@tidegate/database/database';
import { failpointsFrom } from '@tidegate/database/failpoints';
import { migrationsApplied } from '@tidegate/database/migrations-applied';
import { BrokerCanary } from '@tidegate/messaging/broker-canary';
import { connectBroker } from '@tidegate/messaging/connection';
import { messagingFailpoints } from '@tidegate/messaging/messaging-failpoints';
import { RpcClient } from '@tidegate/messaging/rpc';
import { streamOf } from '@tidegate/messaging/topology';
import type { Logger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { startTracing } from '@tidegate/telemetry/start-tracing';
import { sql } from 'kysely';
import type { BaseConfig } from './base-config.js';
import { systemClock, virtualClock } from './clock.js';
import { HealthRegistry } from './health.js';
import { createHttpApp } from './http-app.js';
import type { Loop } from './loop.js';
import { operatorQuestions } from './operator-questions.js';
import { installPoolMetrics } from './pool-metrics.js';
import { SecretFiles } from './secret-files.js';
import type { HostContext, HostSpec, ServiceParts, Startable } from './service-parts.js';
import { type ShutdownStep, STOP_LIMITS_MS } from './shutdown.js';

/** A service put together, with nothing of it running yet. */
export interface Assembled<C extends BaseConfig> {
  context: HostContext<C>;
  parts: ServiceParts;
  app: NestFastifyApplication;
  /** In this order, when everything that runs has stopped. */
  closing: ShutdownStep[];
}

/** Makes the world of a service and its parts in it. Needs neither Postgres nor the broker to be there; every metric is registered. */
export async function assemble<C extends BaseConfig>(spec: HostSpec<C>, logger: Logger): Promise<Assembled<C>> {
  const { service } = spec;
  const config = typeof spec.config === 'function' ? spec.config() : spec.config;
  const instance = `${service}-${config.REPLICA}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const tracing = await startTracing({ service, version: spec.version, instance, otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
  const metrics = createMetrics(service);
  const health = new HealthRegistry();
  const failpoints = failpointsFrom(config.TIDEGATE_FAILPOINT, [...messagingFailpoints(service), ...(spec.failpoints ?? [])], logger);
  const clock = config.TIDEGATE_CLOCK_URL ? await virtualClock(config.TIDEGATE_CLOCK_URL) : systemClock;
  const { db, pool, close } = openDatabase(
    { url: () => config.DATABASE_URL.value, poolSize: config.DB_POOL_SIZE, applicationName: instance },
    logger,
  );
  const topology = { replicas: config.NATS_STREAM_REPLICAS, maxBytes: config.NATS_STREAM_MAX_BYTES };
  const broker = await connectBroker({ servers: () => config.NATS_URL.value, name: instance, service, logger, topology });
  installPoolMetrics(metrics, pool);
  health.dependency('postgres', async () => void (await sql`select 1`.execute(db)));
  if (spec.schema !== undefined) health.dependency('migrations', migrationsApplied(db, spec.schema));
  const owner = streamOf(service)?.owner;
  const canary = owner ? new BrokerCanary({ broker, owner, logger, metrics }) : null;
  const brokerKind = spec.readyWithoutBroker ? 'dispensable' : 'dependency';
  health[brokerKind]('broker', () => broker.ping(500));
  if (canary) health[brokerKind]('broker_store', () => canary.check());
  // A process that is not ready gets no requests, so that none of them fails: this is all that tells.
  metrics.gauge('service_ready', '1 while /readyz says yes', {}, async (gauge) => gauge.set((await health.ready()).ok ? 1 : 0));

  const context: HostContext<C> = {
    config,
    logger,
    metrics,
    clock,
    failpoints,
    health,
    db,
    pool,
    broker,
    rpc: new RpcClient(broker),
    instance,
  };
  const questions = operatorQuestions({ service, instance, config, broker, db });
  const parts = withHostParts(await spec.setup(context), [new SecretFiles(config, logger), ...(canary ? [canary] : [])], questions);
  const app = await createHttpApp(parts, { logger, metrics, health, bodyLimit: spec.bodyLimit });
  const closing: ShutdownStep[] = [
    { name: 'service', limitMs: STOP_LIMITS_MS.service, run: async () => parts.stop?.() },
    { name: 'broker', limitMs: STOP_LIMITS_MS.broker, run: () => broker.drain() },
    { name: 'database', limitMs: STOP_LIMITS_MS.database, run: () => close() },
    { name: 'telemetry', limitMs: STOP_LIMITS_MS.telemetry, run: () => tracing.shutdown() },
    {
      name: 'timers',
      limitMs: STOP_LIMITS_MS.timers,
      run: async () => {
        health.close();
        if ('stop' in clock) (clock as { stop(): void }).stop();
      },
    },
  ];
  return { context, parts, app, closing };
}

const withHostParts = (parts: ServiceParts, loops: Loop[], questions: Startable): ServiceParts => ({
  ...parts,
  loops: [...loops, ...(parts.loops ?? [])],
  consumers: [questions, ...(parts.consumers ?? [])],
});
