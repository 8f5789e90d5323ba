import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Authenticator, Caller } from '../api-key/authenticator.js';
import { isStreamToken } from '../api-key/key-format.js';
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

/** How callers are told apart. Both reject when the database cannot say. */
export interface Known {
  authenticator: Authenticator;
  /** Whom a stream token stands for; null when it has ended or never was. */
  callerOfToken(token: string): Promise<Caller | null>;
}

/** Knows the caller and the scope before a byte of the body is read. */
export function installAuthentication(fastify: FastifyInstance, known: Known, logger: Logger): void {
  fastify.addHook('onRequest', async (request) => {
    const endpoint = endpointOf(request);
    if (!endpoint) return;
    const caller = await authenticate(endpoint, request, known, logger);
    if (!caller.scopes.includes(endpoint.scope))
      throw new ProblemError('auth.forbidden', `This route needs a key with the scope ${endpoint.scope}.`);
    callers.set(request, caller);
  });
}

async function authenticate(endpoint: Endpoint, request: FastifyRequest, known: Known, logger: Logger): Promise<Caller> {
  const header = request.headers.authorization;
  const { token } = request.query as { token?: unknown };
  if (!header && endpoint.eventStream && typeof token === 'string') {
    const caller = isStreamToken(token) ? await lookUp(() => known.callerOfToken(token), logger) : null;
    if (!caller)
      throw new ProblemError('auth.invalid', 'The stream token is unknown or has ended; make a new one.', { headers: CHALLENGE });
    return caller;
  }
  if (!header) throw new ProblemError('auth.missing', 'Send `Authorization: Bearer <API key>`.', { headers: CHALLENGE });
  const [, key] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
  const caller = key === undefined ? null : await lookUp(() => known.authenticator.authenticate(key), logger);
  if (!caller) throw new ProblemError('auth.invalid', 'The API key is unknown, revoked or expired.', { headers: CHALLENGE });
  return caller;
}

async function lookUp(ask: () => Promise<Caller | null>, logger: Logger): Promise<Caller | null> {
  try {
    return await ask();
  } catch (error) {
    logger.warn({ event: 'api_key_lookup_failed', err: error }, 'API keys cannot be looked up');
    throw new ProblemError('service.unavailable', 'API keys cannot be checked right now; nothing was done. Try again with the same key.', {
      headers: { 'retry-after': '1' },
    });
  }
}
