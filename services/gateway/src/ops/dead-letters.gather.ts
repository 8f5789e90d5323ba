import {
  type ChangeDeadLettersBody,
  DEAD_LETTER_OWNERS,
  DeadLetterPage,
  type DeadLetterList,
  type DeadLettersChanged,
  type DeadLetterView,
  ownerOfConsumer,
  readDeadLetterId,
} from '@tidegate/contracts/ops/dead-letters';
import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, type DeadLetterVerb, type RouteRequest, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import type { Owner } from '@tidegate/contracts/subjects';
import type { Gathered } from '../http/endpoint.js';
import { cursorOf, readCursor } from './place-cursor.js';

type Answers = Parameters<ReturnType<Gathered['plan']>['merge']>[0];
const DEFAULT_LIMIT = 20;
const subjectsOf = (verb: DeadLetterVerb, owners: readonly Owner[] = DEAD_LETTER_OWNERS): RpcSubject[] =>
  owners.map((owner) => deadLetterSubject(owner, verb));
const badRequest = (request: RouteRequest, detail: string): HttpReply =>
  jsonReply(400, problemOf('validation.failed', detail, request.request_id));

/** One list of what every service set aside, oldest first. The cursor is the last row, so a page is right whoever was away for the one before. */
export const listed: Gathered = {
  subjects: subjectsOf('list'),
  plan(request) {
    const { cursor, ...query } = request.query;
    const after = cursor === undefined ? null : readCursor(cursor, (id) => readDeadLetterId(id) !== null);
    if (cursor !== undefined && !after)
      return { ask: [], request, merge: () => badRequest(request, 'The cursor is not one of this list.') };
    const params = after ? { after_at: after.at, after_id: after.id } : {};
    return {
      ask: subjectsOf('list', ownersFor(query['service'] as Owner | undefined, query['consumer'])),
      request: { ...request, query, params },
      merge: (answers) => oneList(answers, Number(query['limit'] ?? DEFAULT_LIMIT)),
    };
  },
};

/** The service stands in the id. */
export const shown: Gathered = {
  subjects: subjectsOf('get'),
  plan(request) {
    const owner = readDeadLetterId(request.params['id'] ?? '')?.service ?? 'payments';
    return { ask: subjectsOf('get', [owner]), request, merge: ([answer]) => answer?.reply as HttpReply };
  },
};

export const changed = (verb: 'replay' | 'discard'): Gathered => ({
  subjects: subjectsOf(verb),
  plan(request) {
    const { filter } = request.body as ChangeDeadLettersBody;
    return {
      ask: subjectsOf(verb, ownersFor(filter.service, filter.consumer, filter.ids)),
      request,
      merge: (answers) => oneChange(answers, request),
    };
  },
});

/** Whom a filter can mean. An id of nobody's is asked of payments, which says that there is no such thing. */
function ownersFor(service?: Owner, consumer?: string, ids?: readonly string[]): Owner[] {
  const named = service ?? (consumer === undefined ? undefined : ownerOfConsumer(consumer));
  const byIds = ids && new Set(ids.map((id) => readDeadLetterId(id)?.service ?? 'payments'));
  return DEAD_LETTER_OWNERS.filter((owner) => (named === undefined || owner === named) && (!byIds || byIds.has(owner)));
}

function oneList(answers: Answers, limit: number): HttpReply {
  const pages = answers.flatMap(({ reply }) => (reply?.status === 200 ? [DeadLetterPage.parse(JSON.parse(reply.body))] : []));
  const all = pages.flatMap(({ data }) => data).toSorted(inOrder);
  const data = all.slice(0, limit);
  const last = data.at(-1);
  const has_more = all.length > limit || pages.some((page) => page.has_more);
  const list: DeadLetterList = {
    data,
    has_more,
    next_cursor: has_more && last ? cursorOf({ at: last.at, id: last.id }) : null,
    unavailable: awayAmong(answers),
  };
  return jsonReply(200, list);
}

function oneChange(answers: Answers, request: RouteRequest): HttpReply {
  const { filter, dry_run = false } = request.body as ChangeDeadLettersBody;
  const told = answers.flatMap(({ reply }) => (reply ? [reply] : []));
  const parts = told.flatMap(({ status, body }) => (status === 200 ? [JSON.parse(body) as DeadLettersChanged] : []));
  const refusal = told.find(({ status }) => (status >= 500 ? parts.length === 0 : status !== 200));
  if (refusal) return refusal;
  const whole: DeadLettersChanged = {
    object: 'dead_letters_changed',
    dry_run,
    matched: parts.reduce((sum, part) => sum + part.matched, 0),
    changed: parts.reduce((sum, part) => sum + part.changed, 0),
    more: parts.some((part) => part.more),
    ids: parts.flatMap((part) => part.ids),
    refused: parts.flatMap((part) => part.refused),
    not_found: parts.flatMap((part) => part.not_found),
    unavailable: awayAmong(answers),
  };
  if (filter.ids && filter.ids.length === whole.not_found.length)
    return jsonReply(404, problemOf('not_found', 'Nothing is set aside under these ids.', request.request_id));
  return jsonReply(200, whole);
}

const awayAmong = (answers: Answers): string[] =>
  answers.filter(({ reply }) => reply === null || reply.status >= 500).map(({ subject }) => subject.split('.')[0] ?? '');

function inOrder(a: DeadLetterView, b: DeadLetterView): number {
  return compare(a.at, b.at) || compare(a.consumer, b.consumer) || compare(a.id, b.id);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
