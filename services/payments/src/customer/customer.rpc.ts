import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { CreateCustomerBody } from '@tidegate/contracts/requests';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Logger } from '@tidegate/telemetry/logger';
import { currentTraceparent } from '@tidegate/telemetry/tracing';
import { type Kysely } from 'kysely';
import { z } from 'zod';
import { claim } from '../idempotency/idempotency.store.js';
import { customerRefOf, objectCommandId, requestHash, type Scope } from '../idempotency/identity.js';
import { type Accepted, type KeyedFlow } from '../idempotency/keyed.flow.js';
import { decodeCursor } from '../payment/list-cursor.js';
import { listReply } from '../payment/list-reply.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { oldestRestorePoint } from '../work/restores.store.js';
import { acquire, type Held, wishRefresh } from '../work/work.store.js';
import { type CustomerCarryOn } from './carry-on.flow.js';
import { type Customer } from './customer.decide.js';
import { forget } from './customer.erasure.js';
import { findByRef, findByStripeId } from './customer.store.js';
import { viewOf } from './customer.view.js';

export interface CustomerRpcDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  keyed: KeyedFlow;
  carryOn: CustomerCarryOn;
  instance: string;
  /** New outbox rows are committed. */
  onCommitted(): void;
}

/** The handlers of customers, by subject. */
export const customerHandlers = (deps: CustomerRpcDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.customerCreate]: (request, startedAt) => create(deps, request, startedAt),
  [RPC.customerGet]: (request) => get(deps, request),
  [RPC.customerList]: (request) => list(deps, request),
  [RPC.customerErase]: (request) => erase(deps, request),
});

const notFound = (request: RouteRequest): HttpReply => problemReply('not_found', 'There is no such customer.', request.request_id);

async function create(deps: CustomerRpcDeps, request: RouteRequest, startedAt: number): Promise<HttpReply> {
  const key = request.idempotency_key;
  if (!key) return problemReply('idempotency.key_required', 'Send an Idempotency-Key.', request.request_id);
  const body = CreateCustomerBody.safeParse(request.body ?? {});
  if (!body.success) {
    const errors = body.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
    return problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
  }
  const scope = { tenant: request.tenant, route: request.route, key };
  const ref = customerRefOf(scope);
  const asked = { scope, ref, command_id: objectCommandId('customer_create', scope), request_hash: requestHash(request.body), request };
  return deps.keyed.handle({
    ...asked,
    request_id: request.request_id,
    object_id: ref,
    startedAt,
    needsStripe: true,
    objection: () => Promise.resolve(null),
    accept: (holder) => accept(deps, asked, body.data, holder),
    carryOn: (held, deadline) => deps.carryOn.run(held, deadline),
  });
}

interface Asked {
  scope: Scope;
  ref: string;
  command_id: string;
  request_hash: string;
  request: RouteRequest;
}

/** Another request has this key. */
class KeyTaken extends Error {}

async function accept(deps: CustomerRpcDeps, asked: Asked, body: CreateCustomerBody, holder: string): Promise<Accepted> {
  const now = deps.clock.now();
  const { scope, ref, command_id, request_hash, request } = asked;
  try {
    const lease = await inTransaction(deps, 'payments.customer.accept', async (tx) => {
      const claimed = await claim(tx, {
        scope,
        request_hash,
        command_id,
        payment_id: ref,
        request_id: request.request_id,
        details: null,
        now,
        holder,
      });
      // Thrown, so that nothing of the transaction stays.
      if (!claimed.fresh || !claimed.lease) throw new KeyTaken();
      const known = { tenant: request.tenant, livemode: request.livemode, created_at: now, call_since: now };
      const { email = null, name = null, locale = null } = body;
      const person = { email, name, locale, metadata: JSON.stringify(body.metadata ?? {}) };
      await tx
        .insertInto('customers')
        .values({
          ref,
          command_id,
          status: 'creating',
          ...known,
          ...person,
          version: 1,
          call_n: 1,
          call_answer: 'awaited',
          call_stored: false,
        })
        .execute();
      return claimed.lease;
    });
    if (!lease.held) return { kind: 'waiting' };
    const held: Held = {
      payment_id: ref,
      holder,
      due_at: now,
      revision: lease.revision,
      attempt: 0,
      refresh: lease.refresh,
      woken: null,
      // It may be the repetition of one whose record a restore has lost: whom that made is looked for first.
      takenOver: (await oldestRestorePoint(deps.db)) !== null,
    };
    return { kind: 'running', held };
  } catch (error) {
    if (error instanceof KeyTaken) return { kind: 'taken' };
    throw error;
  }
}

async function get({ db }: CustomerRpcDeps, request: RouteRequest): Promise<HttpReply> {
  const customer = await findByStripeId(db, request.params['id'] ?? '');
  return customer?.tenant === request.tenant ? jsonReply(200, viewOf(customer)) : notFound(request);
}

const DEFAULT_LIMIT = 20;
const CustomerRef = z.string().regex(/^cst_[0-9a-f]{32}$/);

async function list({ db }: CustomerRpcDeps, request: RouteRequest): Promise<HttpReply> {
  const { cursor, email, created_gte, created_lt } = request.query;
  const limit = Math.min(100, Math.max(1, Number(request.query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const after = cursor === undefined ? null : decodeCursor(cursor, CustomerRef);
  if (cursor !== undefined && !after) {
    const errors = [{ path: 'cursor', message: 'is not a cursor of this list' }];
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, { errors });
  }
  let query = db.selectFrom('customers').selectAll().where('tenant', '=', request.tenant).where('stripe_customer', 'is not', null);
  if (email !== undefined) query = query.where('email', '=', email);
  if (created_gte !== undefined) query = query.where('created_at', '>=', new Date(created_gte));
  if (created_lt !== undefined) query = query.where('created_at', '<', new Date(created_lt));
  if (after) query = query.where((eb) => eb(eb.refTuple('created_at', 'ref'), '<', eb.tuple(after.created_at, after.id)));
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('ref', 'desc')
    .limit(limit + 1)
    .execute();
  return listReply(rows, limit, { view: viewOf, cursor: ({ created_at, ref }) => ({ created_at, id: ref }) });
}

/** Here at once, whatever Stripe does; there as soon as it answers. Repetitions are harmless. */
async function erase(deps: CustomerRpcDeps, request: RouteRequest): Promise<HttpReply> {
  const body = ReasonBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'Say why.', request.request_id);
  const customer = await findByStripeId(deps.db, request.params['id'] ?? '');
  if (customer?.tenant !== request.tenant) return notFound(request);
  const after = customer.status === 'active' ? await eraseNow(deps, customer, request, body.data.reason) : customer;
  if (!after) return problemReply('service.unavailable', 'Try again.', request.request_id, { retryAfterMs: 1000 });
  if (after.status === 'erasing') {
    const held = await acquire(deps.db, after.ref, `${deps.instance}#erase:${request.request_id}`, deps.clock.now());
    if (held) await deps.carryOn.run(held);
  }
  return jsonReply(200, viewOf((await findByRef(deps.db, after.ref)) ?? after));
}

async function eraseNow(deps: CustomerRpcDeps, customer: Customer, request: RouteRequest, reason: string): Promise<Customer | null> {
  const { actor, correlation_id } = request;
  const now = deps.clock.now();
  const action = 'customer.erase';
  const target = customer.stripe_customer ?? '';
  const after = await inTransaction(deps, 'payments.customer.erase', async (tx) => {
    const erased = await forget(tx, customer, 'erasing', { now, correlation_id, causation_id: null, traceparent: currentTraceparent() });
    if (!erased) return null;
    await wishRefresh(tx, customer.ref, now);
    await recordOperatorAction(tx, { actor, action, target, reason }, now);
    return erased;
  });
  if (!after) return null;
  deps.onCommitted();
  deps.logger.info({ event: 'operator_action', actor, action, reason, customer: target }, 'A customer was erased');
  return after;
}
