import { ReasonBody } from '@tidegate/contracts/ops/reason';
import {
  type SubscriptionCommandGivenUp,
  type SubscriptionCommandResolution,
  type SubscriptionCommandView,
} from '@tidegate/contracts/ops/subscription-commands';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { z } from 'zod';
import { answer } from '../idempotency/idempotency.store.js';
import { type BillingMetrics } from '../observed/billing.metrics.js';
import { decodeCursor, encodeCursor } from '../payment/list-cursor.js';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type Command, ended, mayBeOut } from '../subscription/command.decide.js';
import { refusalReply } from '../subscription/command.recorder.js';
import { advance, findCommand, isOfOrphan } from '../subscription/command.store.js';
import { type PaymentsTables } from '../tables.js';
import { type Signals } from '../work/signals.js';
import { acquire, type Held, release, wishRefresh } from '../work/work.store.js';
import { listOpen, type OpenCommand } from './subscription-commands.store.js';

export interface OperatorSubscriptionCommandsDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  signals: Signals;
  billingMetrics: BillingMetrics;
  instance: string;
  onWork(): void;
}

type Request = Parameters<RouteHandler>[0];

const DEFAULT_LIMIT = 20;
const CommandRef = z.string().regex(/^sbc_[0-9a-f]{8,64}$/);

/** What operators see and do about requests about subscriptions that do not come to an end, whoever's they are. */
export function operatorSubscriptionCommandHandlers(deps: OperatorSubscriptionCommandsDeps): Partial<Record<RpcSubject, RouteHandler>> {
  return {
    [RPC.operatorSubscriptionCommandList]: (request) => list(deps, request),
    [RPC.operatorSubscriptionCommandResolve]: (request) => resolve(deps, request),
    [RPC.operatorSubscriptionCommandGiveUp]: (request) => giveUp(deps, request),
  };
}

async function list({ db, clock }: OperatorSubscriptionCommandsDeps, request: Request): Promise<HttpReply> {
  const { kind, tenant, older_than, cursor } = request.query;
  const limit = Number(request.query['limit'] ?? DEFAULT_LIMIT);
  const after = cursor === undefined ? null : decodeCursor(cursor, CommandRef);
  if (cursor !== undefined && !after)
    return problemReply('validation.failed', 'The query is not valid.', request.request_id, {
      errors: [{ path: 'cursor', message: 'is not a cursor of this list' }],
    });
  const now = clock.now();
  const createdAtMost = older_than === undefined ? undefined : new Date(now.getTime() - Number(older_than) * 1000);
  const rows = await listOpen(db, { kind, tenant, createdAtMost, after: after ?? undefined, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const data = page.map((row) => viewOf(row, now));
  return jsonReply(200, { data, has_more: last !== undefined, next_cursor: last ? encodeCursor(last) : null });
}

/** The same as the schedule does by itself, only now. The wish and the record of who has it commit together. */
async function resolve({ db, clock, logger, onWork }: OperatorSubscriptionCommandsDeps, request: Request): Promise<HttpReply> {
  const asked = await askedFor(db, request);
  if ('refused' in asked) return asked.refused;
  const { command, reason } = asked;
  const action = { actor: request.actor, action: 'subscription_command.resolve', target: command.id, reason };
  await db.transaction().execute(async (tx) => {
    await recordOperatorAction(tx, action, clock.now());
    await wishRefresh(tx, command.id, clock.now());
  });
  logger.info({ event: 'operator_action', ...action }, `${command.id} is carried on now`);
  onWork();
  return jsonReply(202, { object: 'subscription_command_resolution', id: command.id } satisfies SubscriptionCommandResolution);
}

/** Ends a command that nobody is at and whose call has no effect to come, and answers its request. What is at Stripe stays as it is there. */
async function giveUp(deps: OperatorSubscriptionCommandsDeps, request: Request): Promise<HttpReply> {
  const { db, clock, instance } = deps;
  const asked = await askedFor(db, request);
  if ('refused' in asked) return asked.refused;
  const { id } = asked.command;
  await wishRefresh(db, id, clock.now());
  const held = await acquire(db, id, `${instance}#give-up:${request.request_id}`, clock.now());
  if (!held) return refused(request, 'Some process is at it right now. Ask again.');
  // Read again under the lease: nobody begins a call from here on.
  const command = await findCommand(db, id);
  if (command?.state !== 'open') return leave(deps, held, request, 'It has come to its end meanwhile.');
  const interrupted = held.takenOver && mayBeOut(command);
  // Written down, because who comes next takes over from nobody.
  if (interrupted) await advance(db, command, { call_answer: 'missing' });
  if (interrupted || command.call_answer === 'missing')
    return leave(deps, held, request, 'A call for it may have reached Stripe: it is carried on until certain.');
  const action = { actor: request.actor, action: 'subscription_command.give_up', target: id, reason: asked.reason };
  const detail = `An operator has given this request up. ${standing(command)}`;
  const written = await db.transaction().execute(async (tx) => {
    const now = clock.now();
    if (!(await advance(tx, command, ended))) return false;
    const reply = await refusalReply(tx, command, { code: 'subscriptions.given_up', detail, path: null });
    await answer(tx, new Map([[command.command_id, reply]]), now);
    await recordOperatorAction(tx, action, now);
    return true;
  });
  if (!written) return leave(deps, held, request, 'It went on meanwhile. Look at it again.');
  await release(db, held, null);
  deps.signals.wake(id);
  deps.billingMetrics.settled(command.kind, 'given_up');
  deps.logger.warn(
    { event: 'operator_action', ...action, subscription_id: command.subscription },
    'A request about a subscription was given up',
  );
  const { subscription } = command;
  return jsonReply(200, { object: 'subscription_command_given_up', id, subscription } satisfies SubscriptionCommandGivenUp);
}

const standing = ({ kind, subscription }: Command): string => {
  if (subscription === null) return 'No subscription was made.';
  return kind === 'create' ? `The subscription ${subscription} was made.` : `The subscription ${subscription} stays as it is at Stripe.`;
};

async function askedFor(
  db: Kysely<PaymentsTables>,
  request: Request,
): Promise<{ command: Command; reason: string } | { refused: HttpReply }> {
  const body = ReasonBody.safeParse(request.body);
  if (!body.success) return { refused: problemReply('validation.failed', 'The body is not valid: reason is needed.', request.request_id) };
  const command = await findCommand(db, request.params['id'] ?? '');
  if (!command) return { refused: problemReply('not_found', 'There is no such request about a subscription.', request.request_id) };
  if (command.state !== 'open') return { refused: refused(request, 'It has come to its end already.') };
  return { command, reason: body.data.reason };
}

/** The loop goes on with it at once. */
async function leave(
  { db, clock, onWork }: OperatorSubscriptionCommandsDeps,
  held: Held,
  request: Request,
  why: string,
): Promise<HttpReply> {
  await release(db, held, { dueAt: clock.now(), attempt: held.attempt, waitsFor: 'answer_missing' });
  onWork();
  return refused(request, why);
}

const refused = (request: Request, why: string): HttpReply => problemReply('operations.illegal_state', why, request.request_id);

const viewOf = (row: OpenCommand, now: Date): SubscriptionCommandView => ({
  id: row.id,
  object: 'subscription_command',
  tenant: row.tenant,
  kind: row.kind,
  subscription: row.subscription,
  customer: row.customer,
  step: row.step,
  answer_missing: row.call_answer === 'missing',
  of_orphan: isOfOrphan(row),
  reason: row.waits_for ?? 'starting',
  attempt: row.attempt ?? 0,
  created_at: row.created_at.toISOString(),
  age_seconds: Math.max(0, Math.floor((now.getTime() - row.created_at.getTime()) / 1000)),
  due_at: row.due_at?.toISOString() ?? null,
  in_hand: row.in_hand,
});
