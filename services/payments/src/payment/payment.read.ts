import { DISPUTE_STATUSES } from '@tidegate/contracts/payment';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Kysely, type Selectable, sql } from 'kysely';
import { readStream } from '@tidegate/event-store/read';
import { isToBeForgotten, withoutPerson } from '../customer/customer.erasure.js';
import { type PaymentsTable, type PaymentsTables, type RequestDetails } from '../tables.js';
import { lookSooner } from '../work/work.store.js';
import { isClosed } from './dispute.decide.js';
import { decodeCursor } from './list-cursor.js';
import { listReply } from './list-reply.js';
import { problemReply } from './payment.reply.js';
import { type RouteHandler } from './payment.rpc.js';
import { findRow } from './payment.store.js';
import { timelineOf } from './payment.timeline.js';
import { viewOfRow } from './payment.view.js';

export interface PaymentReadDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  onWork(): void;
}

const DEFAULT_LIMIT = 20;

/** The handlers of everything that only reads, by subject. */
export function readHandlers(deps: PaymentReadDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.paymentGet]: (request) => get(deps, request),
    [RPC.paymentList]: (request) => list(deps, request),
    [RPC.paymentEvents]: (request) => events(deps, request),
  };
}

type Request = Parameters<RouteHandler>[0];

const notFound = (request: Request) => problemReply('not_found', 'There is no such payment.', request.request_id);

async function get(deps: PaymentReadDeps, request: Request) {
  const row = await findRow(deps.db, request.params['id'] ?? '', request.tenant);
  if (!row) return notFound(request);
  await lookIfUnknown(deps, row);
  const view = viewOfRow(row, (await receiptsOf(deps.db, [row.id])).get(row.id) ?? null);
  return jsonReply(200, request.query['expand'] === 'details' ? { ...view, details: await detailsOfPayment(deps.db, row) } : view);
}

/** Reading a payment whose answer is missing looks for it, at most once in 5 s. */
async function lookIfUnknown({ db, clock, onWork }: PaymentReadDeps, row: Selectable<PaymentsTable>): Promise<void> {
  const open = row.status === 'unknown' || row.refunds.some((refund) => refund.status === 'unknown');
  if (open && (await lookSooner(db, row.id, clock.now()))) onWork();
}

async function list({ db }: PaymentReadDeps, request: Request) {
  const { status, customer, dispute, created_gte, created_lt, cursor } = request.query;
  const limit = Math.min(100, Math.max(1, Number(request.query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const after = cursor === undefined ? null : decodeCursor(cursor);
  if (cursor !== undefined && !after) {
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
    });
  }
  let query = db.selectFrom('payments').selectAll().where('tenant', '=', request.tenant);
  if (status !== undefined) query = query.where('status', '=', status);
  if (customer !== undefined) query = query.where('customer', '=', customer);
  if (dispute !== undefined) query = query.where(DISPUTED[dispute === 'open' ? 'open' : 'any']);
  if (created_gte !== undefined) query = query.where('created_at', '>=', new Date(created_gte));
  if (created_lt !== undefined) query = query.where('created_at', '<', new Date(created_lt));
  if (after) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.created_at, after.id)));
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  const receipts = await receiptsOf(
    db,
    rows.map((row) => row.id),
  );
  return listReply(rows, limit, { view: (row) => viewOfRow(row, receipts.get(row.id) ?? null), cursor: (row) => row });
}

const CLOSED = DISPUTE_STATUSES.filter(isClosed);

const DISPUTED = {
  any: sql<boolean>`disputes <> '[]'::jsonb`,
  open: sql<boolean>`disputes <> '[]'::jsonb AND EXISTS (
    SELECT FROM jsonb_array_elements(disputes) AS dispute WHERE NOT dispute->>'status' = ANY(${CLOSED}))`,
};

async function events({ db }: PaymentReadDeps, request: Request) {
  const row = await findRow(db, request.params['id'] ?? '', request.tenant);
  if (!row) return notFound(request);
  return jsonReply(200, { data: timelineOf(await readStream(db, `payment:${row.id}`)) });
}

async function receiptsOf(db: Kysely<PaymentsTables>, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom('payment_receipts').selectAll().where('payment_id', 'in', ids).where('kind', '=', 'receipt').execute();
  return new Map(rows.map((row) => [row.payment_id, row.receipt_id]));
}

async function detailsOfPayment(db: Kysely<PaymentsTables>, row: Selectable<PaymentsTable>): Promise<PaymentDetails> {
  const rows = await db.selectFrom('request_details').select('details').where('payment_id', '=', row.id).execute();
  const told = Object.assign({}, ...rows.map((one) => one.details)) as RequestDetails;
  const forgotten = await isToBeForgotten(db, row);
  const all = forgotten ? withoutPerson(told) : told;
  const customer = forgotten ? undefined : await customerOf(db, row);
  return {
    description: all.description ?? null,
    receipt_email: all.receipt_email ?? customer?.email ?? null,
    locale: all.locale ?? null,
    customer: row.customer,
    customer_name: customer?.name ?? null,
    customer_locale: customer?.locale ?? null,
    line_items: (all.line_items ?? []) as PaymentDetails['line_items'],
  };
}

async function customerOf(db: Kysely<PaymentsTables>, { tenant, customer }: Selectable<PaymentsTable>) {
  if (customer === null) return undefined;
  const ofTenant = db.selectFrom('customers').select(['name', 'email', 'locale']).where('tenant', '=', tenant);
  return ofTenant.where('stripe_customer', '=', customer).executeTakeFirst();
}
