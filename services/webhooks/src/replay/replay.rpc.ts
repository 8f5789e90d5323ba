import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { ReplayEventsBody, type ReplayView } from '@tidegate/contracts/ops/webhook-events';
import { fitting, type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { invalidReply, problemReply } from '../problem-reply.js';
import { orderReplay, type OrderParts, replayIdOf } from './order.flow.js';
import { ReplayListQuery, replayCursor } from './replay.query.decide.js';
import { findReplay, listReplays, type ReplayJob, setReplayStatus, standing, waitingForReplay } from './replay.store.js';

type Answer = (parts: OrderParts, request: unknown) => Promise<HttpReply>;

/** `webhooks.rpc.webhook_event.replay.v1`: 200 with what a replay of the tenant's own events takes, or would take; 400, 422. */
export const answerReplay: Answer = (parts, raw) => {
  const request = RouteRequest.parse(raw);
  return order(parts, request, request.tenant);
};

/** `webhooks.rpc.operator_event.replay.v1`: the same over all tenants. */
export const answerOperatorReplay: Answer = (parts, raw) => order(parts, RouteRequest.parse(raw), null);

/** `webhooks.rpc.webhook_replay.get.v1`: 200 with a replay that the tenant ordered; 404. */
export const answerReplayGet: Answer = async (parts, raw) => {
  const request = RouteRequest.parse(raw);
  const job = await findReplay(parts.db, request.params['id'] ?? '');
  return job?.tenant === request.tenant ? jsonReply(200, await viewOf(parts, job)) : notFound(request);
};

/** `webhooks.rpc.operator_replay.get.v1`: 200 with any replay; 404. */
export const answerOperatorReplayGet: Answer = async (parts, raw) => {
  const request = RouteRequest.parse(raw);
  const job = await findReplay(parts.db, request.params['id'] ?? '');
  return job ? jsonReply(200, await viewOf(parts, job)) : notFound(request);
};

/** `webhooks.rpc.operator_replay.list.v1`: 200 with a page of all replays, newest first; 400. */
export const answerReplayList: Answer = async (parts, raw) => {
  const request = RouteRequest.parse(raw);
  const query = ReplayListQuery.safeParse(request.query);
  if (!query.success) return invalidReply(request, query.error);
  const { limit, cursor } = query.data;
  const rows = await listReplays(parts.db, limit + 1, cursor ?? null);
  const data = fitting(await Promise.all(rows.slice(0, limit).map((job) => viewOf(parts, job))));
  const last = rows.length > data.length ? rows[data.length - 1] : undefined;
  return jsonReply(200, { data, has_more: last !== undefined, next_cursor: last ? replayCursor(last) : null });
};

/** `webhooks.rpc.operator_replay.stop.v1`: takes no more events; those taken are still published. 200 with how it stands, 404, or 422 when it is complete. */
export const answerReplayStop: Answer = (parts, raw) => change(parts, raw, { verb: 'stop', from: 'running', to: 'stopped' });

/** `webhooks.rpc.operator_replay.resume.v1`: goes on behind the last event that was taken. */
export const answerReplayResume: Answer = (parts, raw) => change(parts, raw, { verb: 'resume', from: 'stopped', to: 'running' });

async function order(parts: OrderParts, request: RouteRequest, tenant: string | null): Promise<HttpReply> {
  const body = ReplayEventsBody.safeParse(request.body);
  if (!body.success) return invalidReply(request, body.error);
  const ordered = await orderReplay(parts, { id: replayIdOf(request), tenant, actor: request.actor }, body.data);
  if (ordered === 'mismatch') return problemReply(request, 'idempotency.mismatch', 'This key was used to order another replay.');
  return jsonReply(200, ordered);
}

interface Change {
  verb: 'stop' | 'resume';
  from: ReplayJob['status'];
  to: ReplayJob['status'];
}

async function change(parts: OrderParts, raw: unknown, { verb, from, to }: Change): Promise<HttpReply> {
  const request = RouteRequest.parse(raw);
  const body = ReasonBody.safeParse(request.body);
  if (!body.success) return invalidReply(request, body.error);
  const id = request.params['id'] ?? '';
  const action = { actor: request.actor, action: `webhook_replay.${verb}`, target: id, reason: body.data.reason };
  const changed = await parts.db.transaction().execute(async (tx) => {
    const done = await setReplayStatus(tx, id, { from, to });
    if (done) await recordOperatorAction(tx, action, parts.clock.now());
    return done;
  });
  if (changed) {
    parts.logger.warn({ event: 'operator_action', ...action }, `A replay of webhook events was told to ${verb}`);
    parts.ordered();
  }
  const job = await findReplay(parts.db, id);
  if (!job) return notFound(request);
  if (job.status !== to) return problemReply(request, 'operations.illegal_state', `The replay is ${job.status}; it cannot ${verb}.`);
  return jsonReply(200, await viewOf(parts, job));
}

async function viewOf({ db }: OrderParts, job: ReplayJob): Promise<ReplayView> {
  const { id, status, filter, actor, reason, matched, more, taken } = job;
  const [waiting, by_status] = await Promise.all([waitingForReplay(db, id), standing(db, id)]);
  return {
    id,
    object: 'webhook_replay',
    ...{ status, filter, actor, reason },
    ordered_at: job.ordered_at.toISOString(),
    finished_at: job.finished_at?.toISOString() ?? null,
    ...{ matched, more, taken, waiting, by_status },
  };
}

const notFound = (request: RouteRequest): HttpReply => problemReply(request, 'not_found', 'There is no such replay');
