import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { context, type Context, type Span } from '@opentelemetry/api';
import { containsCardNumber } from '@tidegate/telemetry/card-number';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Metrics } from '@tidegate/telemetry/metrics';
import { openSpan, traceIdOf } from '@tidegate/telemetry/tracing';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HealthRegistry } from './health.js';

interface RequestContext {
  route: string;
  span: Span;
  context: Context;
  correlationId: string;
  /** Whether the span is exported. */
  traced: boolean;
  /** Notes the answer in metrics, span and log. */
  answered: Answered;
}

type Answered = (request: FastifyRequest, own: RequestContext, answer: { status: number; elapsedMs: number }) => void;

/** On the request itself: of a WeakMap with an entry for each request, the garbage collector carries all values along until a full collection. */
const CONTEXT = Symbol('request context');
type WithContext = FastifyRequest & { [CONTEXT]: RequestContext | null };
const contextOf = (request: FastifyRequest): RequestContext | null => (request as WithContext)[CONTEXT];

const WELL_FORMED_ID = /^[A-Za-z0-9_-]{1,64}$/;
const OWN_ROUTES = new Set(['/healthz', '/readyz', '/metrics']);
const UNMATCHED = 'unmatched';
const STATUSES_FROM_START = ['200', '400', '500', '503'];

/** A caller's `x-request-id` when it is a plain token, else a new id. */
export function requestIdOf(request: IncomingMessage): string {
  return plainToken(request.headers['x-request-id']) ?? newRequestId();
}

const ID_DIGITS = 32;
let random = '';

/** Random digits come for 128 ids at once. */
function newRequestId(): string {
  if (random === '') random = randomBytes(64 * ID_DIGITS).toString('hex');
  const id = `req_${random.slice(0, ID_DIGITS)}`;
  random = random.slice(ID_DIGITS);
  return id;
}

function plainToken(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && WELL_FORMED_ID.test(header) && !containsCardNumber(header) ? header : undefined;
}

/** The route as documented: `/v1/payments/{id}`; `unmatched` when there is none. */
export function routeOf(request: FastifyRequest): string {
  const pattern = request.routeOptions.url;
  return pattern ? documented(pattern) : UNMATCHED;
}

/** There are as many as routes. */
const documentedRoutes = new Map<string, string>();

function documented(pattern: string): string {
  const before = documentedRoutes.get(pattern);
  if (before !== undefined) return before;
  const route = pattern.replace(/:([A-Za-z_]+)/g, '{$1}');
  documentedRoutes.set(pattern, route);
  return route;
}

/**
 * Gives each request its id, correlation id, server span and metrics; they hold in handlers and hooks after it. `x-request-id` and `trace-id` are on every
 * answer. While the service drains every answer closes its connection, so that clients move on.
 */
export function installHttpContext(fastify: FastifyInstance, deps: { metrics: Metrics; health: HealthRegistry; logger: Logger }): void {
  const duration = deps.metrics.histogram('http_request_duration_seconds', 'Time from request to answer', { route: [], status: [] });
  duration.zero({ route: UNMATCHED, status: '404' });
  const tellsAll = deps.logger.isLevelEnabled?.('debug') ?? true;

  fastify.decorateRequest(CONTEXT, null);
  fastify.addHook('onRoute', (route) => {
    if (OWN_ROUTES.has(route.url)) return;
    for (const status of STATUSES_FROM_START) duration.zero({ route: documented(route.url), status });
  });

  const answered: Answered = (request, { route, span, traced }, { status, elapsedMs }) => {
    duration.observe({ route, status: String(status) }, elapsedMs / 1000);
    span.setAttribute('http.response.status_code', status);
    if (status >= 500) span.setStatus({ code: 2 });
    // A span that never ends is never exported.
    if (traced) span.end();
    if (status >= 500 || tellsAll) runInside(request, () => logAnswer(deps.logger, { request, route, status, elapsedMs }));
  };

  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (deps.health.draining) void reply.header('connection', 'close');
    const route = routeOf(request);
    if (OWN_ROUTES.has(route)) return done();
    const traceparent = request.headers['traceparent'];
    const opened = openSpan(`${request.method} ${route}`, {
      kind: 'server',
      parent: typeof traceparent === 'string' ? traceparent : null,
      attributes: { 'http.request.method': request.method, 'http.route': route, 'tidegate.request_id': request.id },
    });
    const traceId = traceIdOf(opened.span);
    if (traceId) void reply.header('trace-id', traceId);
    const correlationId = plainToken(request.headers['x-correlation-id']) ?? request.id;
    (request as WithContext)[CONTEXT] = { ...opened, route, correlationId, traced: true, answered };
    // Fastify keeps it while it reads the body.
    runInside(request, done);
  });

  fastify.addHook('onResponse', (request, reply, done) => {
    const own = contextOf(request);
    if (own) answered(request, own, { status: reply.statusCode, elapsedMs: reply.elapsedTime });
    done();
  });
}

/** For an answer that goes on for minutes, such as a stream of events: it counts as answered now, and its end is nobody's business here. */
export function answeredWith(request: FastifyRequest, status: number, elapsedMs: number): void {
  const own = contextOf(request);
  own?.answered(request, own, { status, elapsedMs });
  (request as WithContext)[CONTEXT] = null;
}

/** For a request that anybody can send, thousands a second: it is counted as others are, but its span goes nowhere. */
export function untraced(request: FastifyRequest): void {
  const own = contextOf(request);
  if (own) own.traced = false;
}

/** Runs `fn` in the trace and correlation of a request. */
export function runInside<T>(request: FastifyRequest, fn: () => T): T {
  const own = contextOf(request);
  return own ? context.with(own.context, () => withCorrelation(own.correlationId, fn)) : fn();
}

/** The route, never the URL: ids and query values may hold what must not be logged. */
function logAnswer(
  logger: Logger,
  { request, route, status, elapsedMs }: { request: FastifyRequest; route: string; status: number; elapsedMs: number },
): void {
  const fields = {
    event: 'http_request',
    method: request.method,
    route,
    status,
    duration_ms: Math.round(elapsedMs),
    request_id: request.id,
  };
  if (status >= 500) logger.warn(fields);
  else logger.debug(fields);
}
