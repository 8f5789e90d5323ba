import { CheckoutId } from '@tidegate/contracts/ids';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely, type Selectable } from 'kysely';
import { decodeCursor } from '../payment/list-cursor.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type CheckoutsTable, type PaymentsTables } from '../tables.js';
import { askSooner } from '../work/work.store.js';
import { viewOfRow } from './checkout.view.js';

export interface CheckoutReadDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  onWork(): void;
}

const DEFAULT_LIMIT = 20;

/** The handlers of everything that only reads checkouts, by subject. */
export const checkoutReadHandlers = (deps: CheckoutReadDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.checkoutGet]: (request) => get(deps, request),
  [RPC.checkoutList]: (request) => list(deps, request),
});

type Request = Parameters<RouteHandler>[0];

async function get(deps: CheckoutReadDeps, request: Request): Promise<HttpReply> {
  const row = await deps.db
    .selectFrom('checkouts')
    .selectAll()
    .where('id', '=', request.params['id'] ?? '')
    .where('tenant', '=', request.tenant)
    .executeTakeFirst();
  if (!row) return problemReply('not_found', 'There is no such checkout.', request.request_id);
  await askIfOpen(deps, row);
  return jsonReply(200, viewOfRow(row));
}

/** A payer who comes back may be faster than Stripe's news: reading an open checkout asks how it stands, at most once in 5 s. */
async function askIfOpen({ db, clock, onWork }: CheckoutReadDeps, row: Selectable<CheckoutsTable>): Promise<void> {
  const open = row.status === 'open' || row.payment_status === 'awaited';
  if (open && (await askSooner(db, row.id, clock.now()))) onWork();
}

async function list({ db }: CheckoutReadDeps, request: Request): Promise<HttpReply> {
  const { status, customer, created_gte, created_lt, cursor, payment_status, late_success } = request.query;
  const limit = Math.min(100, Math.max(1, Number(request.query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const after = cursor === undefined ? null : decodeCursor(cursor, CheckoutId);
  if (cursor !== undefined && !after) {
    const errors = [{ path: 'cursor', message: 'is not a cursor of this list' }];
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, { errors });
  }
  let query = db.selectFrom('checkouts').selectAll().where('tenant', '=', request.tenant);
  if (status !== undefined) query = query.where('status', '=', status as CheckoutsTable['status']);
  if (payment_status !== undefined) query = query.where('payment_status', '=', payment_status as CheckoutsTable['payment_status']);
  if (late_success !== undefined) query = query.where('late_success', '=', late_success as 'held');
  if (customer !== undefined) query = query.where('customer', '=', customer);
  if (created_gte !== undefined) query = query.where('created_at', '>=', new Date(created_gte));
  if (created_lt !== undefined) query = query.where('created_at', '<', new Date(created_lt));
  if (after) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.created_at, after.id)));
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return listReply(rows, limit, { view: viewOfRow, cursor: (row) => row });
}
