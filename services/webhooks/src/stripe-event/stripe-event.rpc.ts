import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { cursorText, ListQuery } from './stripe-event.query.decide.js';
import { getEvent, listEvents } from './stripe-event.view.js';

/** `webhooks.rpc.webhook_event.list.v1`: 200 with a page of the tenant's events, or 400. */
export async function answerList(db: Kysely<WebhooksTables>, request: unknown): Promise<HttpReply> {
  const { tenant, query, request_id } = RouteRequest.parse(request);
  const parsed = ListQuery.safeParse(query);
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
    return jsonReply(400, problemOf('validation.failed', 'The query is not valid', request_id, errors));
  }
  const { data, next } = await listEvents(db, tenant, parsed.data);
  return jsonReply(200, { data, has_more: next !== null, next_cursor: next && cursorText(next) });
}

/** `webhooks.rpc.webhook_event.get.v1`: 200 with the event of `params.id`, or 404, another tenant's included. */
export async function answerGet(db: Kysely<WebhooksTables>, request: unknown): Promise<HttpReply> {
  const { tenant, params, request_id } = RouteRequest.parse(request);
  const event = await getEvent(db, tenant, params['id'] ?? '');
  return event ? jsonReply(200, event) : jsonReply(404, problemOf('not_found', 'There is no such webhook event', request_id));
}
