import {
  ChangeDeadLettersBody,
  deadLetterId,
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterPage,
  type DeadLettersChanged,
  type DeadLetterView,
  readDeadLetterId,
} from '@tidegate/contracts/ops/dead-letters';
import { problemOf } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { deadLetterSubject, RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Owner } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Logger } from '@tidegate/telemetry/logger';
import { scrub } from '@tidegate/telemetry/scrub';
import { type Broker } from './broker.js';
import { type RpcServer, serveRpc } from './rpc.js';
import { inboxStore, type SetAside, type SetAsideQuery, type SetAsideStore, together } from './set-aside.js';
import { withoutSecrets } from './without-secrets.js';

export interface DeadLettersOptions {
  broker: Broker;
  db: Db;
  owner: Owner;
  logger: Logger;
  /** When an action is said to have happened. */
  clock: { now(): Date };
  /** The subscribers of this process. */
  consumers: readonly { name: string; signal(): void }[];
  /** What the service sets aside outside of its inbox. */
  parked?: readonly SetAsideStore[];
}

/** Messages that one request changes. */
const MOST_AT_ONCE = 1000;
const MOST_SHOWN = 100;
/** No change begins later than this after the request, so that its answer is in time. */
const LONGEST_MS = 10_000;
const DEFAULT_LIMIT = 20;

type Parts = Pick<DeadLettersOptions, 'owner' | 'logger' | 'clock'> & { store: SetAsideStore };

/**
 * Serves `<owner>.rpc.dead_letter.{list,get,replay,discard}.v1` for what this service set aside. Any replica may answer. Lists go by time; a change is one
 * transaction per message, with the operator's action in it, and is logged as `operator_action`.
 */
export function serveDeadLetters(options: DeadLettersOptions): RpcServer {
  const { broker, db, owner, consumers, parked = [] } = options;
  const wake = (consumer: string) => consumers.filter((one) => one.name === consumer).forEach((one) => one.signal());
  const parts: Parts = { ...options, store: together([inboxStore(db, wake), ...parked]) };
  const servers = (
    [
      ['list', list],
      ['get', get],
      ['replay', change('replay')],
      ['discard', change('discard')],
    ] as const
  ).map(([verb, handler]) =>
    serveRpc(broker, deadLetterSubject(owner, verb), owner, (request) => handler(parts, RouteRequest.parse(request))),
  );
  return {
    subject: `${owner}.rpc.dead_letter`,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

/** `params.after` is the `(at, id)` that the gateway's cursor stands for. */
async function list({ owner, store }: Parts, { query, params }: RouteRequest): Promise<HttpReply> {
  const limit = Math.min(100, Math.max(1, Number(query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const asked = queryOf(owner, { service: query['service'] as Owner | undefined, consumer: query['consumer'], reason: query['reason'] });
  const after = params['after_at'] === undefined ? undefined : placeOf(params['after_at'], params['after_id'] ?? '');
  const rows = asked ? await store.list({ ...asked, after, limit: limit + 1 }) : [];
  const page: DeadLetterPage = { data: rows.slice(0, limit).map((row) => viewOf(owner, row)), has_more: rows.length > limit };
  return jsonReply(200, page);
}

async function get({ owner, store }: Parts, { params, request_id }: RouteRequest): Promise<HttpReply> {
  const id = readDeadLetterId(params['id'] ?? '');
  const found = id?.service === owner ? await store.get(id.consumer, id.key) : null;
  if (!found) return jsonReply(404, problemOf('not_found', 'Nothing is set aside under this id.', request_id));
  const { count, first } = found.behind;
  const detail: DeadLetterDetail = {
    ...viewOf(owner, found),
    payload: withoutSecrets(found.payload),
    behind: { count, first: first.map((one) => ({ ...one, stored_at: one.stored_at.toISOString() })) },
  };
  return jsonReply(200, detail);
}

const change =
  (verb: 'replay' | 'discard') =>
  async (parts: Parts, request: RouteRequest): Promise<HttpReply> => {
    const { owner, store } = parts;
    const body = ChangeDeadLettersBody.safeParse(request.body);
    if (!body.success) return jsonReply(400, problemOf('validation.failed', 'Give a filter and a reason.', request.request_id));
    const { filter, reason, dry_run = false } = body.data;
    const asked = queryOf(owner, filter);
    const rows = asked ? await store.list({ ...asked, limit: MOST_AT_ONCE }) : [];
    const answer: DeadLettersChanged = {
      object: 'dead_letters_changed',
      dry_run,
      matched: asked && rows.length === MOST_AT_ONCE ? await store.count(asked) : rows.length,
      changed: 0,
      more: false,
      ids: rows.slice(0, MOST_SHOWN).map(idOf),
      refused: [],
      not_found: unknownIds(owner, filter, rows),
      unavailable: [],
    };
    if (dry_run || rows.length === 0) return jsonReply(200, answer);
    const done = await changeAll(parts, rows, { verb, actor: request.actor, reason });
    return jsonReply(200, { ...answer, ...done, more: done.changed + done.refused.length < answer.matched });
  };

async function changeAll(
  { store, clock, logger }: Parts,
  rows: readonly SetAside[],
  { verb, actor, reason }: { verb: 'replay' | 'discard'; actor: string; reason: string },
): Promise<Pick<DeadLettersChanged, 'changed' | 'ids' | 'refused'>> {
  const changed: string[] = [];
  const refused: DeadLettersChanged['refused'] = [];
  const action = `dead_letter.${verb}`;
  const until = Date.now() + LONGEST_MS;
  for (const row of rows) {
    if (Date.now() >= until) break;
    const id = idOf(row);
    const { consumer, subject, aggregate, attempts } = row;
    const details = { consumer, subject, aggregate, attempts, failed_with: scrub(row.reason) };
    const audit = (tx: Db) => recordOperatorAction(tx, { actor, action, target: id, reason, details }, clock.now());
    const outcome = verb === 'replay' ? await store.replay(row, audit) : await store.discard(row, reason, audit);
    if (outcome === true) changed.push(id);
    else refused.push({ id, why: outcome === false ? 'gone' : outcome });
  }
  if (changed.length > 0)
    logger.warn({ event: 'operator_action', actor, action, reason, count: changed.length, ids: changed.slice(0, MOST_SHOWN) }, action);
  return { changed: changed.length, ids: changed.slice(0, MOST_SHOWN), refused };
}

/** Null when the filter means nothing of this service's. */
function queryOf(owner: Owner, { ids, service, consumer, reason }: DeadLetterFilter): Omit<SetAsideQuery, 'limit'> | null {
  if (service !== undefined && service !== owner) return null;
  const among = ids?.map(readDeadLetterId).filter((id) => id?.service === owner) as { consumer: string; key: string }[] | undefined;
  return among?.length === 0 ? null : { consumer, reason, among };
}

/** Ids of this service's, or of nobody's, that are not among the rows. An id of nobody's is told by one service only. */
function unknownIds(owner: Owner, { ids = [] }: DeadLetterFilter, rows: readonly SetAside[]): string[] {
  const found = new Set(rows.map(idOf));
  return ids.filter((id) => (readDeadLetterId(id)?.service ?? 'payments') === owner && !found.has(id));
}

function placeOf(at: string, id: string): SetAsideQuery['after'] {
  const [, consumer = '', key = ''] = /^dl_([^_]*)_(.*)$/.exec(id) ?? [];
  return { at: new Date(at), consumer, key };
}

const idOf = ({ consumer, key }: SetAside): string => deadLetterId(consumer, key);

function viewOf(service: Owner, row: SetAside): DeadLetterView {
  return {
    id: idOf(row),
    object: 'dead_letter',
    kind: row.kind,
    service,
    consumer: row.consumer,
    subject: row.subject,
    aggregate: row.aggregate,
    reason: scrub(row.reason),
    attempts: row.attempts,
    at: row.at.toISOString(),
  };
}
