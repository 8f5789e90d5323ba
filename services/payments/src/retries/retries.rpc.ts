import { DeadLetterRetriesBody, type DeadLetterRetriesView, type RetryView } from '@tidegate/contracts/ops/retries';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { decodeCursor, encodeCursor } from '../payment/list-cursor.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { deadLetter, type DeadLetterDeps, type Order } from './dead-letter.flow.js';
import { agedIds, countAged, listWaiting, type WaitingRow } from './retries.store.js';

/** Payments that one request takes out of the queue. */
const MOST_AT_ONCE = 1000;
const MOST_SHOWN = 100;
const DEFAULT_LIMIT = 20;
/** No payment is begun with later than this after the request, so that its answer is in time. */
const LONGEST_MS = 10_000;

type Request = Parameters<RouteHandler>[0];

/** What operators see and do about payments that wait. Not tenant-bound. */
export function retryHandlers(deps: DeadLetterDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.retryList]: (request) => list(deps, request),
    [RPC.retryDeadLetter]: (request) => move(deps, request),
  };
}

async function list({ db, clock }: DeadLetterDeps, request: Request) {
  const { status, older_than, cursor } = request.query;
  const limit = Math.min(100, Math.max(1, Number(request.query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const after = cursor === undefined ? null : decodeCursor(cursor);
  if (cursor !== undefined && !after)
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
    });
  const now = clock.now();
  const rows = await listWaiting(db, {
    status,
    sinceAtMost: older_than === undefined ? undefined : ago(now, Number(older_than)),
    after: after ? { since: after.created_at, paymentId: after.id } : undefined,
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return jsonReply(200, {
    data: page.map((row) => viewOf(row, now)),
    has_more: last !== undefined,
    next_cursor: last ? encodeCursor({ created_at: last.since, id: last.payment_id }) : null,
  });
}

/** Answers as far as it got: each payment is a transaction of its own, and one that was sent meanwhile stays. */
async function move(deps: DeadLetterDeps, request: Request) {
  const body = DeadLetterRetriesBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Give older_than_seconds and reason.', request.request_id);
  const { older_than_seconds, reason, dry_run = false } = body.data;
  const sinceAtMost = ago(deps.clock.now(), older_than_seconds);
  const { unsent, submitted } = await countAged(deps.db, sinceAtMost);
  const { moved, tried } = dry_run
    ? { moved: [], tried: 0 }
    : await moveAll(deps, await agedIds(deps.db, 'unsent', sinceAtMost, MOST_AT_ONCE), {
        actor: request.actor,
        reason,
        correlationId: request.correlation_id,
      });
  if (!dry_run) {
    const counts = { matched: unsent, dead_lettered: moved.length };
    deps.logger.warn(
      { event: 'operator_action', actor: request.actor, action: 'retry.dead_letter', reason, older_than_seconds, ...counts },
      'Waiting payments were taken out of the queue',
    );
  }
  const shown = dry_run ? await agedIds(deps.db, 'unsent', sinceAtMost, MOST_SHOWN) : moved.slice(0, MOST_SHOWN);
  const view: DeadLetterRetriesView = {
    object: 'retries_dead_lettered',
    dry_run,
    matched: unsent,
    dead_lettered: moved.length,
    more: !dry_run && unsent > tried,
    refused: { count: submitted, why: 'submitted', payment_ids: await agedIds(deps.db, 'submitted', sinceAtMost, MOST_SHOWN) },
    payment_ids: shown,
  };
  return jsonReply(200, view);
}

async function moveAll(deps: DeadLetterDeps, ids: readonly string[], order: Order): Promise<{ moved: string[]; tried: number }> {
  const moved: string[] = [];
  const until = Date.now() + LONGEST_MS;
  let tried = 0;
  for (const id of ids) {
    if (Date.now() >= until) break;
    tried += 1;
    if ((await deadLetter(deps, id, order)).kind === 'canceled') moved.push(id);
  }
  return { moved, tried };
}

const ago = (now: Date, seconds: number): Date => new Date(now.getTime() - seconds * 1000);

function viewOf(row: WaitingRow, now: Date): RetryView {
  return {
    payment_id: row.payment_id,
    object: 'retry',
    tenant: row.tenant,
    status: row.status,
    reason: row.waits_for ?? 'starting',
    attempt: row.attempt,
    waiting_since: row.since.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - row.since.getTime()) / 1000)),
    due_at: row.due_at.toISOString(),
    in_hand: row.in_hand,
    unsent: row.unsent,
  };
}
