import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Authenticator, Caller } from '../api-key/authenticator.js';
import { isStreamToken } from '../api-key/key-format.js';
import type { StripeMode } from '../api-key/stripe-mode.js';
import { type Endpoint, isOfOneMode } from './endpoint.js';
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

/** How callers are told apart. The first two reject when the database cannot say, the mode when nobody has said it. */
export interface Known {
  authenticator: Authenticator;
  /** Whom a stream token stands for; null when it has ended or never was. */
  callerOfToken(token: string): Promise<Caller | null>;
  mode: Pick<StripeMode, 'livemode'>;
}

/** Knows the caller, the scope and the mode before a byte of the body is read. */
export function installAuthentication(fastify: FastifyInstance, known: Known, logger: Logger): void {
  fastify.addHook('onRequest', async (request) => {
    const endpoint = endpointOf(request);
    if (!endpoint) return;
    const caller = await authenticate(endpoint, request, known, logger);
    if (!caller.scopes.includes(endpoint.scope))
      throw new ProblemError('auth.forbidden', `This route needs a key with the scope ${endpoint.scope}.`);
    if (isOfOneMode(endpoint)) await refuseOtherMode(caller, known, logger);
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

/** Everything of tenants here is of the mode of our key of Stripe: a key that was made for tries, and lies where such keys lie, must not reach it. */
async function refuseOtherMode(caller: Caller, { mode }: Known, logger: Logger): Promise<void> {
  const livemode = await mode.livemode().catch((error: unknown) => {
    logger.warn({ event: 'stripe_mode_unknown', err: error }, 'Nobody has said yet of which mode the key of Stripe is');
    throw new ProblemError(
      'service.unavailable',
      'The mode of API keys cannot be checked right now; nothing was done. Try again with the same key.',
      {
        headers: { 'retry-after': '1' },
      },
    );
  });
  if (caller.livemode === livemode) return;
  throw new ProblemError(
    'auth.other_mode',
    livemode
      ? 'This is a test key, and real money is moved here; nothing was done. An operator makes a live key by `tidegate keys create --live`.'
      : "This is a live key, and only Stripe's test mode is used here; nothing was done. Use a test key.",
  );
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
