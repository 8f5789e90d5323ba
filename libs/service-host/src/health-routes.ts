import type { Metrics } from '@tidegate/telemetry/metrics';
import type { FastifyInstance } from 'fastify';
import type { HealthRegistry } from './health.js';

/** `/healthz`, `/readyz` (503 when not) and `/metrics` of a service. */
export function installHealthRoutes(fastify: FastifyInstance, deps: { health: HealthRegistry; metrics: Metrics }): void {
  fastify.get('/healthz', async (_request, reply) => {
    const report = deps.health.live();
    return reply.code(report.ok ? 200 : 503).send(report);
  });
  fastify.get('/readyz', async (_request, reply) => {
    const report = await deps.health.ready();
    return reply.code(report.ok ? 200 : 503).send(report);
  });
  fastify.get('/metrics', async (_request, reply) => {
    const text = await deps.metrics.registry.metrics();
    return reply.header('content-type', deps.metrics.registry.contentType).send(text);
  });
}
