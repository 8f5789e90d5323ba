import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Authenticator, Caller } from '../api-key/authenticator.js';
import type { Endpoint } from './endpoint.js';
import { ProblemError } from './problem-error.js';

const callers = new WeakMap<FastifyRequest, Caller>();
const CHALLENGE = { 'www-authenticate': 'Bearer realm="tidegate"' };

/** The endpoint behind a matched route; undefined for routes that are for everybody. */
export function endpointOf(request: FastifyRequest): Endpoint | undefined {
  return (request.routeOptions.config as { endpoint?: Endpoint }).endpoint;
}

/** Throws when authentication did not run: "Bug:". */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error('Bug: the route was reached without a caller');
  return caller;
}

/** Knows the caller and the scope before a byte of the body is read. */
export function installAuthentication(fastify: FastifyInstance, authenticator: Authenticator, logger: Logger): void {
  fastify.addHook('onRequest', async (request) => {
    const endpoint = endpointOf(request);
    if (!endpoint) return;
    const caller = await authenticate(authenticator, request.headers.authorization, logger);
    if (!caller.scopes.includes(endpoint.scope))
      throw new ProblemError('auth.forbidden', `This route needs a key with the scope ${endpoint.scope}.`);
    callers.set(request, caller);
  });
}

async function authenticate(authenticator: Authenticator, header: string | undefined, logger: Logger): Promise<Caller> {
  if (!header) throw new ProblemError('auth.missing', 'Send `Authorization: Bearer <API key>`.', { headers: CHALLENGE });
  const [, key] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
  const caller = key === undefined ? null : await lookUp(authenticator, key, logger);
  if (!caller) throw new ProblemError('auth.invalid', 'The API key is unknown, revoked or expired.', { headers: CHALLENGE });
  return caller;
}

async function lookUp(authenticator: Authenticator, key: string, logger: Logger): Promise<Caller | null> {
  try {
    return await authenticator.authenticate(key);
  } catch (error) {
    logger.warn({ event: 'api_key_lookup_failed', err: error }, 'API keys cannot be looked up');
    throw new ProblemError('service.unavailable', 'API keys cannot be checked right now; nothing was done. Try again with the same key.', {
      headers: { 'retry-after': '1' },
    });
  }
}
