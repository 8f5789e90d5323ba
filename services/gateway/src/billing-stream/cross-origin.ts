import type { FastifyInstance } from 'fastify';
import { followBillingStream } from './follow-billing-stream.endpoint.js';

/**
 * Lets pages of these origins read the billing stream, which they ask for from here with a token. No other route and no other origin; without origins nothing is
 * said to any browser.
 */
export function installCrossOrigin(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (request.routeOptions.url === followBillingStream.path) {
      void reply.header('vary', 'origin');
      if (origin !== undefined && allowed.has(origin)) void reply.header('access-control-allow-origin', origin);
    }
    done();
  });
  // EventSource never asks beforehand; a page that reads the stream with fetch does.
  fastify.options(followBillingStream.path, (_request, reply) =>
    reply
      .code(204)
      .headers({ 'access-control-allow-methods': 'GET', 'access-control-allow-headers': 'last-event-id', 'access-control-max-age': '600' })
      .send(),
  );
}
