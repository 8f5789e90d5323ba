import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Metrics } from '@tidegate/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import type { HealthRegistry } from './health.js';
import { installHealthRoutes } from './health-routes.js';
import { answerUnreadable } from './http-client-error.js';
import { installHttpContext, requestIdOf } from './http-context.js';
import { nestLogger } from './nest-logger.js';
import type { ServiceParts } from './service-parts.js';

const DEFAULT_BODY_LIMIT = 64 * 1024;
/** Longer than the idle time-outs of usual load balancers, so that the balancer closes first. */
const KEEP_ALIVE_MS = 75_000;
const WHOLE_REQUEST_MS = 30_000;

/** The Nest application of a service on Fastify, initialised and not yet listening. */
export async function createHttpApp(
  parts: ServiceParts,
  deps: { logger: Logger; metrics: Metrics; health: HealthRegistry; bodyLimit?: number | undefined },
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: deps.bodyLimit ?? DEFAULT_BODY_LIMIT,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: WHOLE_REQUEST_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 300 },
    clientErrorHandler: answerUnreadable,
    ...(parts.onFrameworkError ? { frameworkErrors: parts.onFrameworkError } : {}),
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  installHttpContext(fastify, deps);
  parts.configureHttp?.(fastify);
  installHealthRoutes(fastify, deps);

  const app = await NestFactory.create<NestFastifyApplication>(parts.module, adapter, {
    logger: nestLogger(deps.logger),
    bodyParser: false,
    abortOnError: false,
  });
  if (parts.filters?.length) app.useGlobalFilters(...parts.filters);
  for (const strategy of parts.strategies ?? []) app.connectMicroservice({ strategy });
  await app.init();
  await fastify.ready();
  return app;
}
