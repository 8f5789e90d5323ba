import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { type RouteRequest, RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { isBreakerName } from '@tidegate/stripe-gateway/breaker-names';
import { BreakerStore } from '@tidegate/stripe-gateway/fleet/breaker.store';
import { logTransition } from '@tidegate/stripe-gateway/fleet/transition-log';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { readBreakers } from './breaker.view.js';

export interface BreakerRpcDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  instance: string;
  /** A breaker changed: everybody in this process should know at once. */
  changed(): Promise<void>;
}

const ACTIONS = {
  [RPC.breakerReset]: 'reset',
  [RPC.breakerIsolate]: 'isolate',
  [RPC.breakerClose]: 'close',
} as const;
type Action = (typeof ACTIONS)[keyof typeof ACTIONS];

/** What operators see of the breakers and do to them. */
export function breakerHandlers(deps: BreakerRpcDeps): Partial<Record<RpcSubject, RouteHandler>> {
  const acting = Object.entries(ACTIONS).map(([subject, action]) => [subject, (request: RouteRequest) => act(deps, action, request)]);
  return {
    [RPC.breakerList]: async () => jsonReply(200, { data: await readBreakers(deps.db), has_more: false, next_cursor: null }),
    ...Object.fromEntries(acting),
  };
}

/** The change, its transition and the record of who asked for it commit together. */
async function act(deps: BreakerRpcDeps, action: Action, request: RouteRequest): Promise<HttpReply> {
  const name = request.params['name'] ?? '';
  if (!isBreakerName(name)) return problemReply('not_found', 'There is no such breaker.', request.request_id);
  const body = ReasonBody.safeParse(request.body);
  if (!body.success) return problemReply('validation.failed', 'The body is not valid: reason is needed.', request.request_id);
  const { reason } = body.data;
  const asked = { actor: request.actor, action: `breaker.${action}`, target: name, reason };
  const author = { service: 'payments', process: deps.instance, correlationId: request.correlation_id, actor: request.actor, reason };

  const { before, moved } = await deps.db.transaction().execute(async (tx) => {
    const [found] = await readBreakers(tx, name);
    if (found?.state === 'auth' && action === 'close') return { before: found.state, moved: [] };
    const moved = await new BreakerStore(tx)[action](name, author);
    await recordOperatorAction(tx, { ...asked, details: { from: found?.state, to: moved[0]?.to_state ?? found?.state } }, deps.clock.now());
    return { before: found?.state, moved };
  });
  if (before === 'auth' && action === 'close')
    return problemReply('operations.illegal_state', 'Stripe refuses the key: change it, or reset the breaker.', request.request_id);
  deps.logger.warn({ event: 'operator_action', ...asked, from: before }, `Breaker ${name}: ${action}`);
  for (const transition of moved) logTransition(deps.logger, transition);
  await deps.changed();
  const [view] = await readBreakers(deps.db, name);
  return jsonReply(200, view);
}
