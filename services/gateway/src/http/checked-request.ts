import type { IncomingHttpHeaders } from 'node:http';
import type { Problem } from '@tidegate/contracts/problem';
import type { z } from 'zod';
import type { Endpoint } from './endpoint.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { ProblemError } from './problem-error.js';
import { refuseHarmfulText, refuseHarmfulValue } from './untrusted-value.js';

/** A request as it came in. */
export interface RawRequest {
  /** Path and query as sent. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Decoded. */
  params: Readonly<Record<string, string>>;
  body: unknown;
}

/** What is left of a request once everything about it is known to be right. */
export interface CheckedRequest {
  params: Record<string, string>;
  query: Record<string, string>;
  body: unknown;
  idempotencyKey: string | null;
  respondAsync: boolean;
}

/** Headers that hold no free text, or a secret that is checked elsewhere. */
const UNCHECKED_HEADERS = new Set(['authorization', 'host', 'content-length']);
/** Traces of Datadog, Google, Zipkin, Jaeger and Amazon have random numbers of up to 20 digits, every hundredth of which could be that of a card. They go nowhere. */
const TRACE_HEADERS = /^(traceparent|tracestate|x-datadog-.+|x-cloud-trace-context|x-b3-.+|b3|uber-trace-id|x-amzn-trace-id)$/;

/** Checks a request against its endpoint; throws the ProblemError of the first thing that is wrong. */
export function checkRequest(endpoint: Endpoint, raw: RawRequest): CheckedRequest {
  refuseHarmfulUrlAndHeaders(raw);
  refuseHarmfulValue(raw.body);
  const params = checkParams(endpoint, raw.params);
  const query = checkQuery(endpoint, raw.url);
  const idempotencyKey = idempotencyKeyOf(endpoint, raw.headers['idempotency-key']);
  const body = checkBody(endpoint, raw.body);
  return { params, query, body, idempotencyKey, respondAsync: endpoint.respondAsync === true && prefersAsync(raw.headers['prefer']) };
}

function refuseHarmfulUrlAndHeaders(raw: RawRequest): void {
  for (const value of Object.values(raw.params)) refuseHarmfulText(value, 'path');
  for (const [name, value] of searchOf(raw.url)) {
    refuseHarmfulText(name, 'query');
    refuseHarmfulText(value, 'query');
  }
  for (const [name, value] of Object.entries(raw.headers)) {
    if (UNCHECKED_HEADERS.has(name) || TRACE_HEADERS.test(name) || value === undefined) continue;
    for (const one of [value].flat()) refuseHarmfulText(one, 'headers');
  }
}

function checkParams(endpoint: Endpoint, params: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, shape] of Object.entries(endpoint.params)) {
    if (!shape.safeParse(params[name]).success) throw new ProblemError('not_found', 'There is nothing under this id.');
  }
  return { ...params };
}

/** The values as they were sent, once they are known to be right: their owner reads them. */
function checkQuery(endpoint: Endpoint, url: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of searchOf(url)) {
    if (Object.hasOwn(query, name)) throw invalid('query', [{ path: name.slice(0, 100), message: 'is given more than once' }]);
    Object.defineProperty(query, name, { value, enumerable: true, configurable: true, writable: true });
  }
  if (!endpoint.query) {
    const [unknown] = Object.keys(query);
    if (unknown !== undefined) throw invalid('query', [{ path: unknown.slice(0, 100), message: 'this route takes no query parameters' }]);
    return {};
  }
  const parsed = endpoint.query.safeParse(query);
  if (!parsed.success) throw invalid('query', faultsOf(parsed.error));
  return query;
}

function checkBody(endpoint: Endpoint, body: unknown): unknown {
  if (!endpoint.body) return null;
  const parsed = endpoint.body.safeParse(body ?? {});
  if (!parsed.success) throw invalid('body', faultsOf(parsed.error));
  return parsed.data;
}

function searchOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
}

function invalid(what: 'query' | 'body', errors: NonNullable<Problem['errors']>): ProblemError {
  const [first] = errors;
  return new ProblemError(
    'validation.failed',
    `The ${what} is not valid: ${first ? `${first.path ? `${first.path}: ` : ''}${first.message}` : 'see errors'}.`,
    { errors },
  );
}

function faultsOf(error: z.ZodError): NonNullable<Problem['errors']> {
  return error.issues
    .slice(0, 20)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.slice(0, 20).map((key) => ({ path: [...issue.path, key.slice(0, 100)].join('.'), message: 'unknown field' }))
        : [{ path: issue.path.map(String).join('.').slice(0, 200), message: issue.message }],
    );
}

/** RFC 7240. */
function prefersAsync(prefer: string | string[] | undefined): boolean {
  return [prefer ?? []].flat().some((line) => line.split(',').some((one) => one.split(';')[0]?.trim().toLowerCase() === 'respond-async'));
}
