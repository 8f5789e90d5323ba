import {
  type OperatorPaymentDetail,
  type OperatorPaymentView,
  type PaymentStatsView,
  type ResolvePaymentView,
} from '@tidegate/contracts/ops/payments';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { type PaymentStatus } from '@tidegate/contracts/payment';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { readStream } from '@tidegate/event-store/read';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { decodeCursor } from '../payment/list-cursor.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { timelineOf } from '../payment/payment.timeline.js';
import { viewOfRow } from '../payment/payment.view.js';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { hourlyCounts, operatorPayments, type OperatorRow } from './operator-payments.store.js';

export interface OperatorPaymentsDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  onWork(): void;
}

const DEFAULT_LIMIT = 20;
const DEFAULT_HOURS = 24;
const HOUR_MS = 3_600_000;

type Request = Parameters<RouteHandler>[0];

/** What operators see and do about payments, whoever's they are: those without a PaymentIntent id as well, which matter most. */
export function operatorPaymentHandlers(deps: OperatorPaymentsDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.operatorPaymentList]: (request) => list(deps, request),
    [RPC.operatorPaymentGet]: (request) => get(deps, request),
    [RPC.operatorPaymentStats]: (request) => stats(deps, request),
    [RPC.operatorPaymentResolve]: (request) => resolve(deps, request),
  };
}

async function list({ db, clock }: OperatorPaymentsDeps, request: Request) {
  const { status, tenant, older_than, without_intent, order, cursor } = request.query;
  const limit = Number(request.query['limit'] ?? DEFAULT_LIMIT);
  const after = cursor === undefined ? null : decodeCursor(cursor);
  if (cursor !== undefined && !after)
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
    });
  const now = clock.now();
  const rows = await operatorPayments(db, {
    status,
    tenant,
    sinceAtMost: older_than === undefined ? undefined : new Date(now.getTime() - Number(older_than) * 1000),
    withoutIntent: without_intent === 'true',
    newest: order === 'newest',
    after: after ? { since: after.created_at, id: after.id } : undefined,
    limit: limit + 1,
  });
  return listReply(rows, limit, {
    view: (row) => viewOf(row, now),
    cursor: ({ status_since, id }) => ({ created_at: status_since, id }),
  });
}

async function get({ db, clock }: OperatorPaymentsDeps, request: Request) {
  const [row] = await operatorPayments(db, { id: request.params['id'] ?? '', limit: 1 });
  if (!row) return notFound(request);
  const events = timelineOf(await readStream(db, `payment:${row.id}`));
  return jsonReply(200, { ...viewOf(row, clock.now()), events } satisfies OperatorPaymentDetail);
}

async function stats({ db, clock }: OperatorPaymentsDeps, request: Request) {
  const hours = Number(request.query['hours'] ?? DEFAULT_HOURS);
  const since = new Date(Math.floor(clock.now().getTime() / HOUR_MS - (hours - 1)) * HOUR_MS);
  const counts = await hourlyCounts(db, since, request.query['tenant']);
  const data = counts.map(({ hour, status, count }) => ({ hour: hour.toISOString(), status, count }));
  return jsonReply(200, { object: 'payment_stats', since: since.toISOString(), data } satisfies PaymentStatsView);
}

/** Asks Stripe now, by the same road as a webhook or a schedule. The wish and the record of who has it commit together. */
async function resolve({ db, clock, logger, onWork }: OperatorPaymentsDeps, request: Request) {
  const id = request.params['id'] ?? '';
  const body = ReasonBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'The body is not valid: reason is needed.', request.request_id);
  const row = await db.selectFrom('payments').select(['id', 'status']).where('id', '=', id).executeTakeFirst();
  if (!row) return notFound(request);
  const action = { actor: request.actor, action: 'payment.resolve', target: id, reason: body.data.reason, details: { status: row.status } };
  await db.transaction().execute(async (tx) => {
    await recordOperatorAction(tx, action, clock.now());
    await wishRefresh(tx, id, clock.now());
  });
  logger.info({ event: 'operator_action', ...action }, `Stripe is asked about ${id}`);
  onWork();
  const status = row.status as PaymentStatus;
  return jsonReply(202, { object: 'payment_resolution', payment_id: id, status } satisfies ResolvePaymentView);
}

const notFound = (request: Request) => problemReply('not_found', 'There is no such payment.', request.request_id);

function viewOf(row: OperatorRow, now: Date): OperatorPaymentView {
  return {
    ...viewOfRow(row, null),
    tenant: row.tenant,
    livemode: row.livemode,
    status_since: row.status_since.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - row.status_since.getTime()) / 1000)),
    work: row.has_work
      ? { due_at: row.due_at?.toISOString() ?? null, waits_for: row.waits_for, attempt: row.attempt ?? 0, in_hand: row.in_hand === true }
      : null,
  };
}
