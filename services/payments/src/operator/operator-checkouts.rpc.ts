import { CheckoutId } from '@tidegate/contracts/ids';
import { type OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely } from 'kysely';
import { viewOfRow } from '../checkout/checkout.view.js';
import { decodeCursor } from '../payment/list-cursor.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { operatorCheckouts, type OperatorCheckoutRow } from './operator-checkouts.store.js';

export interface OperatorCheckoutsDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  /** What tenants do to checkouts, by subject. */
  commands: Partial<Record<RpcSubject, RouteHandler>>;
}

const DEFAULT_LIMIT = 20;

type Request = Parameters<RouteHandler>[0];

/** What operators see of checkouts and do to them, whoever's they are. */
export function operatorCheckoutHandlers(deps: OperatorCheckoutsDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.operatorCheckoutList]: (request) => list(deps, request),
    [RPC.operatorCheckoutGet]: (request) => get(deps, request),
    [RPC.operatorCheckoutWindow]: forItsTenant(deps, RPC.checkoutWindow),
    [RPC.operatorCheckoutLateSuccess]: forItsTenant(deps, RPC.checkoutLateSuccess),
  };
}

async function list({ db, clock }: OperatorCheckoutsDeps, request: Request) {
  const { status, payment_status, late_success, tenant, overdue, cursor } = request.query;
  const limit = Number(request.query['limit'] ?? DEFAULT_LIMIT);
  const after = cursor === undefined ? null : decodeCursor(cursor, CheckoutId);
  if (cursor !== undefined && !after) {
    const errors = [{ path: 'cursor', message: 'is not a cursor of this list' }];
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, { errors });
  }
  const now = clock.now();
  const rows = await operatorCheckouts(db, {
    ...{ status, tenant, paymentStatus: payment_status, lateSuccess: late_success },
    overdueAt: overdue === 'true' ? now : undefined,
    after: after ?? undefined,
    limit: limit + 1,
  });
  return listReply(rows, limit, { view: (row) => viewOf(row, now), cursor: (row) => row });
}

async function get({ db, clock }: OperatorCheckoutsDeps, request: Request) {
  const [row] = await operatorCheckouts(db, { id: request.params['id'] ?? '', limit: 1 });
  if (!row) return notFound(request);
  return jsonReply(200, viewOf(row, clock.now()));
}

/**
 * Through the door of the tenant whose checkout it is, so that every rule, the audit and the Idempotency-Key are the same; the actor stays the operator, and the
 * route in the scope of the key keeps it apart from keys of the tenant.
 */
function forItsTenant({ db, commands }: OperatorCheckoutsDeps, subject: RpcSubject): RouteHandler {
  const handler = commands[subject];
  if (!handler) throw new Error(`Bug: nobody handles ${subject}`);
  return async (request, startedAt) => {
    const id = request.params['id'] ?? '';
    const checkout = await db.selectFrom('checkouts').select(['tenant', 'livemode']).where('id', '=', id).executeTakeFirst();
    return checkout ? handler({ ...request, ...checkout }, startedAt) : notFound(request);
  };
}

const notFound = (request: Request) => problemReply('not_found', 'There is no such checkout.', request.request_id);

function viewOf(row: OperatorCheckoutRow, now: Date): OperatorCheckoutView {
  const late = row.status === 'open' ? now.getTime() - row.window_ends_at.getTime() : 0;
  return {
    ...viewOfRow(row),
    tenant: row.tenant,
    livemode: row.livemode,
    overdue_seconds: Math.max(0, Math.floor(late / 1000)),
    work: row.has_work
      ? { due_at: row.due_at?.toISOString() ?? null, waits_for: row.waits_for, attempt: row.attempt ?? 0, in_hand: row.in_hand === true }
      : null,
  };
}
