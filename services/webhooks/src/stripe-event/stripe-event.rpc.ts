import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { invalidReply, problemReply } from '../problem-reply.js';
import { cursorText, ListQuery, type PageCursor } from './stripe-event.query.decide.js';
import { getEvent, getOperatorEvent, listEvents, listOperatorEvents } from './stripe-event.view.js';

type Database = Kysely<WebhooksTables>;

/** `webhooks.rpc.webhook_event.list.v1`: 200 with a page of the tenant's events, or 400. */
export async function answerList(db: Database, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  return page(request, (query) => listEvents(db, request.tenant, query));
}

/** `webhooks.rpc.operator_event.list.v1`: the same over all tenants. */
export async function answerOperatorList(db: Database, raw: unknown): Promise<HttpReply> {
  return page(RouteRequest.parse(raw), (query) => listOperatorEvents(db, query));
}

/** `webhooks.rpc.webhook_event.get.v1`: 200 with the event of `params.id`, or 404, another tenant's included. */
export async function answerGet(db: Database, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  return oneOf(request, await getEvent(db, request.tenant, request.params['id'] ?? ''));
}

/** `webhooks.rpc.operator_event.get.v1`: 200 with any tenant's event and its outcomes, or 404. */
export async function answerOperatorGet(db: Database, raw: unknown): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  return oneOf(request, await getOperatorEvent(db, request.params['id'] ?? ''));
}

async function page(
  request: RouteRequest,
  read: (query: ListQuery) => Promise<{ data: unknown[]; next: PageCursor | null }>,
): Promise<HttpReply> {
  const query = ListQuery.safeParse(request.query);
  if (!query.success) return invalidReply(request, query.error);
  const { data, next } = await read(query.data);
  return jsonReply(200, { data, has_more: next !== null, next_cursor: next && cursorText(next) });
}

const oneOf = (request: RouteRequest, event: object | null): HttpReply =>
  event ? jsonReply(200, event) : problemReply(request, 'not_found', 'There is no such webhook event.');
