import { InvoiceId } from '@tidegate/contracts/ids';
import { type InvoiceView } from '@tidegate/contracts/invoice';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type DunningState } from '@tidegate/contracts/subscription';
import { type Kysely, type Selectable } from 'kysely';
import { pageAsked } from '../observed/list-page.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { timeOf } from '../subscription/subscription.view.js';
import { type InvoicesTable, type PaymentsTables } from '../tables.js';

export interface InvoiceReadDeps {
  db: Kysely<PaymentsTables>;
}

type Request = Parameters<RouteHandler>[0];

/** The handlers of everything that only reads invoices, by subject. */
export const invoiceReadHandlers = (deps: InvoiceReadDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.invoiceGet]: (request) => get(deps, request),
  [RPC.invoiceList]: (request) => list(deps, request),
});

async function get({ db }: InvoiceReadDeps, request: Request): Promise<HttpReply> {
  const row = await db
    .selectFrom('invoices')
    .selectAll()
    .where('id', '=', request.params['id'] ?? '')
    .where('tenant', '=', request.tenant)
    .executeTakeFirst();
  return row ? jsonReply(200, viewOf(row)) : problemReply('not_found', 'There is no such invoice.', request.request_id);
}

async function list({ db }: InvoiceReadDeps, request: Request): Promise<HttpReply> {
  const { status, customer, subscription, dunning, created_gte, created_lt } = request.query;
  const asked = pageAsked(request, InvoiceId);
  if ('refused' in asked) return asked.refused;
  const { limit, after } = asked.page;
  let query = db.selectFrom('invoices').selectAll().where('tenant', '=', request.tenant);
  if (status !== undefined) query = query.where('status', '=', status);
  if (customer !== undefined) query = query.where('customer', '=', customer);
  if (subscription !== undefined) query = query.where('subscription', '=', subscription);
  if (dunning !== undefined) query = query.where('dunning', '=', dunning as DunningState);
  if (created_gte !== undefined) query = query.where('created_at', '>=', new Date(created_gte));
  if (created_lt !== undefined) query = query.where('created_at', '<', new Date(created_lt));
  if (after) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.created_at, after.id)));
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return listReply(rows, asked.page.limit, { view: viewOf, cursor: (row) => row });
}

/** The invoice as REST answers it. */
const viewOf = (row: Selectable<InvoicesTable>): InvoiceView => ({
  id: row.id,
  object: 'invoice',
  status: row.status,
  number: row.number,
  customer: row.customer,
  subscription: row.subscription,
  billing_reason: row.billing_reason,
  collection_method: row.collection_method,
  amount: row.amount,
  amount_due: row.amount_due,
  amount_paid: row.amount_paid,
  amount_remaining: row.amount_remaining,
  currency: row.currency,
  attempt_count: row.attempt_count,
  next_payment_attempt: timeOf(row.next_payment_attempt),
  due_date: timeOf(row.due_date),
  period_start: timeOf(row.period_start),
  period_end: timeOf(row.period_end),
  payment_intents: row.payment_intents,
  dunning: row.dunning,
  failure: row.failure,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});
