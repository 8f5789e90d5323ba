import { DEAD_LETTER_OWNERS as OWNERS, ownerOfConsumer } from '@tidegate/contracts/ops/dead-letters';
import {
  type CreateEventReplayBody,
  type EventReplayList,
  EventReplayPage,
  type EventReplayView,
  readEventReplayId,
} from '@tidegate/contracts/ops/event-replays';
import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { eventReplaySubject, type EventReplayVerb, type RouteRequest, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import type { Gathered } from '../http/endpoint.js';
import { cursorOf, readCursor } from './place-cursor.js';

const DEFAULT_LIMIT = 20;
const subjectsOf = (verb: EventReplayVerb): RpcSubject[] => OWNERS.map((owner) => eventReplaySubject(owner, verb));
const notFound = (request: RouteRequest, detail: string): HttpReply => jsonReply(404, problemOf('not_found', detail, request.request_id));

/** A consumer begins with its service. */
export const created: Gathered = {
  subjects: subjectsOf('create'),
  plan(request) {
    const { consumer } = request.body as CreateEventReplayBody;
    const owner = ownerOfConsumer(consumer);
    if (owner) return { ask: [eventReplaySubject(owner, 'create')], request, merge: onlyAnswer };
    const detail = `There is no consumer ${consumer}: its name begins with its service, one of ${OWNERS.join(', ')}.`;
    return { ask: [], request, merge: () => notFound(request, detail) };
  },
};

/** One list of all services' replays, newest first. */
export const listed: Gathered = {
  subjects: subjectsOf('list'),
  plan(request) {
    const { cursor, ...query } = request.query;
    const before = cursor === undefined ? null : readCursor(cursor, (id) => readEventReplayId(id) !== null);
    if (cursor !== undefined && !before) {
      const refused = jsonReply(400, problemOf('validation.failed', 'The cursor is not one of this list.', request.request_id));
      return { ask: [], request, merge: () => refused };
    }
    const params = before ? { before_at: before.at, before_id: before.id } : {};
    const limit = Number(query['limit'] ?? DEFAULT_LIMIT);
    return { ask: subjectsOf('list'), request: { ...request, query, params }, merge: (answers) => oneList(answers, limit) };
  },
};

/** The service stands in the id. An id of nobody's is asked of payments, which says that there is no such thing. */
export const named = (verb: 'get' | 'swap' | 'stop'): Gathered => ({
  subjects: subjectsOf(verb),
  plan(request) {
    const owner = readEventReplayId(request.params['id'] ?? '')?.service ?? 'payments';
    return { ask: [eventReplaySubject(owner, verb)], request, merge: onlyAnswer };
  },
});

type Answers = Parameters<ReturnType<Gathered['plan']>['merge']>[0];

const onlyAnswer = ([answer]: Answers): HttpReply => answer?.reply as HttpReply;

function oneList(answers: Answers, limit: number): HttpReply {
  const pages = answers.flatMap(({ reply }) => (reply?.status === 200 ? [EventReplayPage.parse(JSON.parse(reply.body))] : []));
  const all = pages.flatMap((page) => page.data).toSorted(newestFirst);
  const data = all.slice(0, limit);
  const last = data.at(-1);
  const has_more = all.length > limit || pages.some((page) => page.has_more);
  const away = answers.filter(({ reply }) => reply === null || reply.status >= 500);
  const list: EventReplayList = {
    data,
    has_more,
    next_cursor: has_more && last ? cursorOf({ at: last.requested_at, id: last.id }) : null,
    unavailable: away.map(({ subject }) => subject.split('.')[0] ?? ''),
  };
  return jsonReply(200, list);
}

/** By time and, where that is the same, by the part of the id that grows with time. */
function newestFirst(a: EventReplayView, b: EventReplayView): number {
  const [x, y] = [a, b].map((one) => `${one.requested_at} ${readEventReplayId(one.id)?.key}`);
  return x! < y! ? 1 : x! > y! ? -1 : 0;
}
