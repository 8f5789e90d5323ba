import { randomUUID } from 'node:crypto';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RouteRequest, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import type { RpcClient } from '@tidegate/messaging/rpc';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import type { RepairAnswer, RepairPort, Told } from './repair.port.js';

/** Longer than payments needs for one look-up at Stripe (10 s). */
const TIMEOUT_MS = 15_000;

/** The port on `payments.rpc.payment.repair.v1` and `receipts.rpc.receipt.issue.v1`. */
export function repairOverRpc(rpc: Pick<RpcClient, 'request'>, livemode: boolean): RepairPort {
  async function ask(subject: RpcSubject, route: string, who: { tenant: string; actor: string }, body: object): Promise<RepairAnswer> {
    const requestId = `req_${randomUUID().replaceAll('-', '')}`;
    const request: RouteRequest = {
      ...who,
      request_id: requestId,
      correlation_id: currentCorrelationId() ?? requestId,
      route,
      params: {},
      query: {},
      idempotency_key: null,
      respond_async: false,
      livemode,
      body,
    };
    return answerOf(await rpc.request<HttpReply>(subject, request, { timeoutMs: TIMEOUT_MS }));
  }
  return {
    lookUp: ({ tenant, actor, payment_id, stripe_payment_intent, checkout_id, reason }) =>
      ask(
        RPC.paymentRepair,
        `POST /v1/payments/${payment_id ?? stripe_payment_intent ?? checkout_id}/repair`,
        { tenant, actor },
        {
          ...(payment_id === null ? {} : { payment_id }),
          ...(stripe_payment_intent === null ? {} : { stripe_payment_intent }),
          ...(checkout_id === undefined ? {} : { checkout_id }),
          reason,
        },
      ),
    issueReceipt: ({ tenant, actor, payment, reason }) =>
      ask(RPC.receiptIssue, `POST /v1/payments/${payment.payment_id}/receipt`, { tenant, actor }, { payment, reason }),
  };
}

function answerOf(reply: HttpReply): RepairAnswer {
  const { action, code, reason, told } = JSON.parse(reply.body) as { action?: string; code?: string; reason?: string; told?: Told };
  if (reply.status < 300 && action !== 'none') return { kind: 'asked', ...(told ? { told } : {}) };
  return { kind: 'refused', status: reply.status, code: code ?? reason ?? `status ${reply.status}` };
}
