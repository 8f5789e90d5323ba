import type { ProblemCode } from '@tidegate/contracts/problem';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest, RpcSubject } from '@tidegate/contracts/rpc/routes';
import type { z } from 'zod';
import type { Scope } from '../api-key/scopes.js';
import { type HereOperation, isHere } from './here.js';

/** One route of the REST face, as data: served, checked and documented from the same object. */
export interface Endpoint {
  /** OpenAPI operationId. */
  id: string;
  method: 'GET' | 'POST';
  /** With parameters as `{id}`. */
  path: string;
  tag:
    | 'Payments'
    | 'Checkout'
    | 'Customers'
    | 'Subscriptions'
    | 'Usage'
    | 'Receipts'
    | 'Reconciliation'
    | 'Webhook events'
    | 'Billing stream'
    | 'Operations';
  summary: string;
  description?: string;
  scope: Scope;
  /** The subject whose owner answers, several owners who each hold a part, or what the gateway answers itself. */
  rpc: RpcSubject | Gathered | HereOperation;
  /** Shapes of the path parameters. A value that does not fit is 404: such a thing cannot exist. */
  params: Readonly<Record<string, z.ZodType<string>>>;
  /** Absent: the route takes no query. */
  query?: z.ZodObject;
  /** Absent: the route takes no body. */
  body?: z.ZodType;
  /** `required` on every POST that creates or moves money. */
  idempotencyKey: 'required' | 'optional' | 'none';
  /** Largest body in bytes; 64 KiB when absent. */
  bodyLimit?: number;
  /** Server-sent events: takes `Last-Event-ID`, and a stream token in the query in the place of a key. */
  eventStream?: true;
  /** Whether `Prefer: respond-async` means something here. */
  respondAsync?: true;
  answers: Readonly<
    Record<number, { description: string; schema?: z.ZodType; contentType?: string; headers?: Readonly<Record<string, string>> }>
  >;
  /** Codes beside those that any route may answer. */
  problems: readonly ProblemCode[];
}

/** What several services answer together. */
export interface Gathered {
  /** Everyone who may be asked. */
  subjects: readonly RpcSubject[];
  /** Whom this request concerns, what they are asked, and how their answers become one. `null` stands for an owner that gave no answer. */
  plan(request: RouteRequest): {
    ask: readonly RpcSubject[];
    request: RouteRequest;
    merge(answers: readonly { subject: RpcSubject; reply: HttpReply | null }[]): HttpReply;
  };
}

/** Every subject that an endpoint may ask; none where the gateway answers itself. */
export function subjectsOf({ rpc }: Endpoint): readonly RpcSubject[] {
  if (typeof rpc !== 'string') return rpc.subjects;
  return isHere(rpc) ? [] : [rpc];
}

/** Tenants' routes, unlike operators', are for keys of the mode of our key of Stripe. */
export const isOfOneMode = ({ path }: Endpoint): boolean => !path.startsWith('/v1/ops/');

export const defineEndpoint = (endpoint: Endpoint): Endpoint => endpoint;

/** Codes that any route may answer; `withBody` ones only where a body is taken. */
export function problemsOf(endpoint: Endpoint): ProblemCode[] {
  const always: ProblemCode[] = [
    'auth.missing',
    'auth.invalid',
    'auth.forbidden',
    'validation.failed',
    'payments.card_data_refused',
    'service.unavailable',
    ...(isOfOneMode(endpoint) ? (['auth.other_mode'] as const) : []),
    ...(endpoint.method === 'POST' ? (['service.on_hold'] as const) : []),
    'service.timeout',
    'internal',
  ];
  const withBody: ProblemCode[] = ['body.malformed', 'body.too_large', 'body.unsupported_media_type'];
  const withKey: ProblemCode[] = [
    'idempotency.key_required',
    'idempotency.key_invalid',
    'idempotency.mismatch',
    'idempotency.in_progress',
    'idempotency.key_expired',
  ];
  const own = [
    ...always,
    ...(endpoint.body ? withBody : []),
    ...(endpoint.idempotencyKey === 'required' ? withKey : []),
    ...endpoint.problems,
  ];
  return [...new Set(Object.keys(endpoint.params).length > 0 ? [...own, 'not_found' as const] : own)];
}
