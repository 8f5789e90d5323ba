import Fastify from 'fastify';

/** The peer of `bench -- breaker`: a route that answers 503 with Retry-After and does nothing else. Runs in a process of its own. */
const server = Fastify();
server.post('/v1/payments', async (_request, reply) => reply.code(503).header('retry-after', '30').send({ status: 503 }));
console.log(JSON.stringify({ url: await server.listen({ host: '127.0.0.1', port: 0 }) }));
process.on('SIGTERM', () => process.exit(0));
