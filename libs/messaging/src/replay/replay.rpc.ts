import {
  CreateEventReplayBody,
  type EventReplayDetail,
  type EventReplayPage,
  type EventReplayView,
  eventReplayId,
  readEventReplayId,
} from '@tidegate/contracts/ops/event-replays';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { problemOf, type ProblemCode } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { eventReplaySubject, RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Owner } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Logger } from '@tidegate/telemetry/logger';
import { v7 as uuidv7 } from 'uuid';
import { type Broker } from '../broker.js';
import { type RpcServer, serveRpc } from '../rpc.js';
import { durablesOfProjection, projectionOf, type Replayable } from './projection.js';
import { findReplay, listDifferences, listReplays, type ReplayRow, requestReplay, statusOf, wantStop, wantSwap } from './replay.store.js';

export interface EventReplaysOptions {
  broker: Broker;
  db: Db;
  owner: Owner;
  logger: Logger;
  /** When a person is said to have wanted something. */
  clock: { now(): Date };
  replayable: Replayable;
  /** There is something to work on. */
  wanted(): void;
}

const DEFAULT_LIMIT = 20;
const MOST_LISTED = 100;

/**
 * Serves `<owner>.rpc.event_replay.{create,list,get,swap,stop}.v1` for the service's own projections. Any replica may answer; whichever claims it works on it.
 * Who wanted what, and why, is written down with the wish, and logged as `operator_action`.
 */
export function serveEventReplays(options: EventReplaysOptions): RpcServer {
  const { broker, owner } = options;
  const servers = (
    [
      ['create', create],
      ['list', list],
      ['get', get],
      ['swap', swap],
      ['stop', stop],
    ] as const
  ).map(([verb, answer]) =>
    serveRpc(broker, eventReplaySubject(owner, verb), owner, (request) => answer(options, RouteRequest.parse(request))),
  );
  return {
    subject: `${owner}.rpc.event_replay`,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

async function create(options: EventReplaysOptions, request: RouteRequest): Promise<HttpReply> {
  const { db, replayable, clock } = options;
  const body = CreateEventReplayBody.safeParse(request.body);
  if (!body.success) return problem(request, 'validation.failed', 'Give a consumer and a reason.');
  const { consumer, from, dry_run = false, reason } = body.data;
  const projection = projectionOf(replayable, consumer);
  if (!projection) return notReplayable(replayable, consumer, request);
  const [id, at, actor] = [uuidv7(), clock.now(), request.actor];
  const other = await db.transaction().execute(async (tx) => {
    const wish = { id, consumer, projection: projection.sources[0].durable, actor, reason, requested_at: at };
    const swap = dry_run ? { swap_actor: null, swap_reason: null } : { swap_actor: actor, swap_reason: reason };
    const standsBy = await requestReplay(tx, { ...wish, ...swap, ...placeOf(from) });
    if (standsBy === null)
      await recordOperatorAction(tx, actionOf(request, 'start', { id, consumer }, reason, { from: from ?? null, dry_run }), at);
    return standsBy;
  });
  if (other !== null) {
    const row = await findReplay(db, other);
    const detail = `A replay of the same tables is under way${row ? `: ${eventReplayId(row.consumer, row.id)}` : ''}. Wait for it, or stop it.`;
    return problem(request, 'operations.illegal_state', detail);
  }
  told(options, request, 'start', reason, { id, consumer });
  options.wanted();
  return shown(options, 201, await findReplay(db, id));
}

async function list(options: EventReplaysOptions, { query, params }: RouteRequest): Promise<HttpReply> {
  const limit = Math.min(MOST_LISTED, Math.max(1, Number(query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const key = readEventReplayId(params['before_id'] ?? '')?.key;
  const before = params['before_at'] === undefined ? {} : { before: { at: new Date(params['before_at']), id: key ?? ZERO } };
  const rows = await listReplays(options.db, { ...before, limit: limit + 1 });
  const page: EventReplayPage = { data: rows.slice(0, limit).map((row) => viewOf(options, row)), has_more: rows.length > limit };
  return jsonReply(200, page);
}
/** Below any id. */
const ZERO = '00000000-0000-0000-0000-000000000000';

async function get(options: EventReplaysOptions, request: RouteRequest): Promise<HttpReply> {
  const row = await named(options, request);
  if (!row) return nothing(request);
  const detail: EventReplayDetail = { ...viewOf(options, row), rows: await listDifferences(options.db, row.id) };
  return jsonReply(200, detail);
}

const swap = changing('swap', wantSwap, 'It can be swapped in only while it is ready.');
const stop = changing('stop', async (tx, id) => wantStop(tx, id), 'It is swapped in or over.');

/** A change that needs nothing but its reason. The wish to swap is kept with the replay and written down when it takes effect, by whoever does it. */
function changing(
  verb: 'swap' | 'stop',
  want: (tx: Db, id: string, by: { actor: string; reason: string }) => Promise<boolean>,
  otherwise: string,
) {
  return async (options: EventReplaysOptions, request: RouteRequest): Promise<HttpReply> => {
    const body = ReasonBody.safeParse(request.body);
    if (!body.success) return problem(request, 'validation.failed', 'Give a reason.');
    const { reason } = body.data;
    const row = await named(options, request);
    if (!row) return nothing(request);
    const wanted = await options.db.transaction().execute(async (tx) => {
      const done = await want(tx, row.id, { actor: request.actor, reason });
      if (done && verb === 'stop') await recordOperatorAction(tx, actionOf(request, verb, row, reason), options.clock.now());
      return done;
    });
    if (!wanted)
      return problem(
        request,
        'operations.illegal_state',
        `It is ${statusOf((await findReplay(options.db, row.id))?.state ?? row.state)}. ${otherwise}`,
      );
    told(options, request, verb, reason, row);
    options.wanted();
    return shown(options, 202, await findReplay(options.db, row.id));
  };
}

async function named({ db, owner }: EventReplaysOptions, { params }: RouteRequest): Promise<ReplayRow | null> {
  const id = readEventReplayId(params['id'] ?? '');
  const row = id?.service === owner ? await findReplay(db, id.key) : null;
  return row && eventReplayId(row.consumer, row.id) === params['id'] ? row : null;
}

function notReplayable({ refused = {}, projections }: Replayable, consumer: string, request: RouteRequest): HttpReply {
  const why = refused[consumer];
  if (why !== undefined) return problem(request, 'operations.illegal_state', why);
  const known = projections.flatMap(durablesOfProjection).join(', ');
  return problem(request, 'not_found', `There is no consumer ${consumer}. What can be replayed here: ${known}.`);
}

function placeOf(from: string | undefined): { from_time: Date | null; from_position: number | null } {
  if (from === undefined) return { from_time: null, from_position: null };
  const position = /^\d+$/.test(from) ? Number(from) : null;
  return { from_time: position === null ? new Date(from) : null, from_position: position };
}

const actionOf = (
  { actor }: RouteRequest,
  verb: string,
  { id, consumer }: { id: string; consumer: string },
  reason: string,
  details: Record<string, unknown> = {},
) => ({ actor, action: `event_replay.${verb}`, target: consumer, reason, details: { replay: eventReplayId(consumer, id), ...details } });

function told(
  { logger }: EventReplaysOptions,
  { actor }: RouteRequest,
  verb: string,
  reason: string,
  row: { id: string; consumer: string },
): void {
  const action = `event_replay.${verb}`;
  logger.warn(
    { event: 'operator_action', actor, action, reason, consumer: row.consumer, replay: eventReplayId(row.consumer, row.id) },
    action,
  );
}

const problem = (request: RouteRequest, code: ProblemCode, detail: string): HttpReply => {
  const body = problemOf(code, detail, request.request_id);
  return jsonReply(body.status, body);
};

const nothing = (request: RouteRequest): HttpReply => problem(request, 'not_found', 'There is no such replay.');

function shown(options: EventReplaysOptions, status: number, row: ReplayRow | null): HttpReply {
  if (!row) throw new Error('Bug: a replay is gone');
  return jsonReply(status, viewOf(options, row));
}

function viewOf({ replayable }: EventReplaysOptions, row: ReplayRow): EventReplayView {
  const projection = projectionOf(replayable, row.projection);
  const { missing, extra, different } = row;
  return {
    id: eventReplayId(row.consumer, row.id),
    object: 'event_replay',
    consumer: row.consumer,
    consumers: projection ? durablesOfProjection(projection) : [row.consumer],
    tables: projection ? [...projection.tables, ...(projection.columns ?? []).map((one) => one.table)] : [],
    from: row.from_time?.toISOString() ?? row.from_position?.toString() ?? null,
    status: statusOf(row.state),
    progress: { total: row.total, read: row.read, handled: row.handled },
    differences: missing === null || extra === null || different === null ? null : { missing, extra, different },
    failure: row.failure,
    actor: row.actor,
    reason: row.reason,
    requested_at: row.requested_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
