import type { FastifyInstance } from 'fastify';
import type { Endpoint } from './endpoint.js';
import { ProblemError } from './problem-error.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON and nothing else, up to the size that the endpoint takes: other content types are refused, and no parse error repeats what was sent. An empty body is `undefined`. */
export function installJsonBody(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { endpoint } = (route.config ?? {}) as { endpoint?: Endpoint };
    if (endpoint?.bodyLimit !== undefined) route.bodyLimit = endpoint.bodyLimit;
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Throws `body.malformed`. `__proto__` comes out as a plain key, for the checks behind to refuse. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes)) as unknown;
  } catch {
    throw new ProblemError('body.malformed', 'The body is not valid JSON in UTF-8.');
  }
}
