import { CancelSubscriptionBody, ChangeSubscriptionBody, CreateSubscriptionBody } from '@tidegate/contracts/requests';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Kysely } from 'kysely';
import { type z } from 'zod';
import { type CustomerCheck } from '../customer/customer.check.js';
import { claim } from '../idempotency/idempotency.store.js';
import { objectCommandId, requestHash, subscriptionCommandRefOf, type Scope } from '../idempotency/identity.js';
import { type Accepted, type KeyedFlow } from '../idempotency/keyed.flow.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { oldestRestorePoint } from '../work/restores.store.js';
import { type SubscriptionCarryOn } from './carry-on.flow.js';
import { type Command } from './command.decide.js';
import { addCommand, AnotherIsOpen, hurryOpen, waitItsTurn } from './command.store.js';

export interface SubscriptionRpcDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  keyed: KeyedFlow;
  carryOn: SubscriptionCarryOn;
  customers: CustomerCheck;
}

/** The handlers of what changes subscriptions, by subject. */
export const subscriptionHandlers = (deps: SubscriptionRpcDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.subscriptionCreate]: (request, startedAt) => handle(deps, { kind: 'create', schema: CreateSubscriptionBody, request, startedAt }),
  [RPC.subscriptionChange]: (request, startedAt) => handle(deps, { kind: 'change', schema: ChangeSubscriptionBody, request, startedAt }),
  [RPC.subscriptionCancel]: (request, startedAt) => handle(deps, { kind: 'cancel', schema: CancelSubscriptionBody, request, startedAt }),
});

interface Asked {
  kind: Command['kind'];
  schema: z.ZodType<Command['request']>;
  request: RouteRequest;
  startedAt: number;
}

async function handle(deps: SubscriptionRpcDeps, { kind, schema, request, startedAt }: Asked): Promise<HttpReply> {
  const key = request.idempotency_key;
  if (!key) return problemReply('idempotency.key_required', 'Send an Idempotency-Key.', request.request_id);
  const body = schema.safeParse(request.body ?? {});
  if (!body.success) {
    const errors = body.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
    return problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
  }
  const scope = { tenant: request.tenant, route: request.route, key };
  const command = {
    id: subscriptionCommandRefOf(scope),
    command_id: objectCommandId(`subscription_${kind}`, scope),
    tenant: request.tenant,
    kind,
    subscription: kind === 'create' ? null : (request.params['id'] ?? ''),
    request: body.data,
  };
  return deps.keyed.handle({
    scope,
    request_hash: requestHash(request.body),
    command_id: command.command_id,
    request_id: request.request_id,
    object_id: command.id,
    startedAt,
    needsStripe: true,
    objection: () => objection(deps, command, request),
    accept: (holder) => accept(deps, { command, scope, request, holder }),
    carryOn: (held, deadline) => deps.carryOn.run(held, deadline),
  });
}

type New = Pick<Command, 'id' | 'command_id' | 'tenant' | 'kind' | 'subscription' | 'request'>;

async function objection({ db, clock, customers }: SubscriptionRpcDeps, command: New, request: RouteRequest): Promise<HttpReply | null> {
  if (command.kind === 'create') {
    const { customer, not_after } = command.request as CreateSubscriptionBody;
    const isOver = not_after !== undefined && Date.parse(not_after) <= clock.now().getTime();
    // After a restore it may be the repetition of one that was carried out in time.
    if (!isOver || (await oldestRestorePoint(db)) !== null) return customers.fault(customer, request);
    const errors = [{ path: 'not_after', message: 'lies in the past' }];
    return problemReply('validation.failed', 'The body is not valid.', request.request_id, { errors });
  }
  const row = await db
    .selectFrom('subscriptions')
    .select('id')
    .where('id', '=', command.subscription ?? '')
    .where('tenant', '=', request.tenant)
    .executeTakeFirst();
  return row ? null : problemReply('not_found', 'There is no such subscription.', request.request_id);
}

/** Another request has this key. */
class KeyTaken extends Error {}

async function accept(
  deps: SubscriptionRpcDeps,
  { command, scope, request, holder }: { command: New; scope: Scope; request: RouteRequest; holder: string },
): Promise<Accepted> {
  const now = deps.clock.now();
  const { id, command_id } = command;
  const request_hash = requestHash(request.body);
  try {
    const lease = await inTransaction(deps, 'payments.subscription.accept', async (tx) => {
      const { request_id } = request;
      const claimed = await claim(tx, { scope, request_hash, command_id, payment_id: id, request_id, details: null, now, holder });
      // Thrown, so that nothing of the transaction stays.
      if (!claimed.fresh || !claimed.lease) throw new KeyTaken();
      await waitItsTurn(tx, command);
      await addCommand(tx, command, now);
      return claimed.lease;
    });
    if (!lease.held) return { kind: 'waiting' };
    const { revision, refresh } = lease;
    const held = { payment_id: id, holder, due_at: now, revision, attempt: 0, refresh, woken: null, takenOver: false };
    return { kind: 'running', held };
  } catch (error) {
    if (error instanceof KeyTaken) return { kind: 'taken' };
    if (error instanceof AnotherIsOpen) {
      await hurryOpen(deps.db, command.subscription, now);
      return { kind: 'busy' };
    }
    throw error;
  }
}
