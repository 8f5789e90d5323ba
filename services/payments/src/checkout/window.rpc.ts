import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { problemReply } from '../payment/payment.reply.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { type WindowSweep } from './window.loop.js';

export interface WindowRpcDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  sweep: WindowSweep;
  runMs: number;
}

/** `payments.rpc.payment_window.reconcile.v1`: closes every overdue page now and reports. Not tenant-bound: its callers are operators. */
export const windowHandlers = (deps: WindowRpcDeps): Partial<Record<RpcSubject, RouteHandler>> => ({
  [RPC.windowReconcile]: async (request, startedAt) => {
    const body = ReasonBody.safeParse(request.body);
    if (!body.success) return problemReply('validation.failed', 'Say why.', request.request_id);
    const { actor } = request;
    const { reason } = body.data;
    const action = 'payment_window.reconcile';
    await recordOperatorAction(deps.db, { actor, action, target: 'overdue', reason }, deps.clock.now());
    deps.logger.info({ event: 'operator_action', actor, action, reason }, 'Overdue windows are closed by hand');
    return jsonReply(200, await deps.sweep.reconcile(startedAt + deps.runMs));
  },
});
