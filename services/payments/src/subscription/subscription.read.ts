import { SubscriptionId } from '@tidegate/contracts/ids';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely, type Selectable } from 'kysely';
import { pageAsked } from '../observed/list-page.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables, type SubscriptionsTable } from '../tables.js';
import { askNowOrSooner } from '../work/work.store.js';
import { dunningsOf, subscriptionView } from './subscription.view.js';

export interface SubscriptionReadDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  onWork(): void;
}

type Request = Parameters<RouteHandler>[0];

const ASKED_AT_MOST_EACH_MS = 5000;

/** The handlers of everything that only reads subscriptions, by subject. */
export const subscriptionReadHandlers = (deps: SubscriptionReadDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.subscriptionGet]: (request) => get(deps, request),
  [RPC.subscriptionList]: (request) => list(deps, request),
});

async function get(deps: SubscriptionReadDeps, request: Request): Promise<HttpReply> {
  const row = await deps.db
    .selectFrom('subscriptions')
    .selectAll()
    .where('id', '=', request.params['id'] ?? '')
    .where('tenant', '=', request.tenant)
    .executeTakeFirst();
  if (!row) return problemReply('not_found', 'There is no such subscription.', request.request_id);
  await askIfUnpaid(deps, row);
  return jsonReply(200, subscriptionView(row, (await dunningsOf(deps.db, [row.id])).get(row.id) ?? null));
}

/** A payer who comes back from authenticating may be faster than Stripe's news. */
async function askIfUnpaid({ db, clock, onWork }: SubscriptionReadDeps, row: Selectable<SubscriptionsTable>): Promise<void> {
  const now = clock.now();
  if (row.status !== 'incomplete' || now.getTime() - row.seen_at.getTime() < ASKED_AT_MOST_EACH_MS) return;
  if (await askNowOrSooner(db, row.id, now)) onWork();
}

async function list({ db }: SubscriptionReadDeps, request: Request): Promise<HttpReply> {
  const { status, customer, created_gte, created_lt } = request.query;
  const asked = pageAsked(request, SubscriptionId);
  if ('refused' in asked) return asked.refused;
  const { limit, after } = asked.page;
  let query = db.selectFrom('subscriptions').selectAll().where('tenant', '=', request.tenant);
  if (status !== undefined) query = query.where('status', '=', status);
  if (customer !== undefined) query = query.where('customer', '=', customer);
  if (created_gte !== undefined) query = query.where('created_at', '>=', new Date(created_gte));
  if (created_lt !== undefined) query = query.where('created_at', '<', new Date(created_lt));
  if (after) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.created_at, after.id)));
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const dunnings = await dunningsOf(
    db,
    rows.map(({ id }) => id),
  );
  return listReply(rows, asked.page.limit, {
    view: (row) => subscriptionView(row, dunnings.get(row.id) ?? null),
    cursor: (row) => row,
  });
}
