import { randomUUID } from 'node:crypto';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { RpcClient } from '@tidegate/messaging/rpc';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import type { RepairAnswer, RepairPort } from './repair.port.js';

/** Longer than payments needs for one look-up at Stripe (10 s). */
const TIMEOUT_MS = 15_000;

/** The port on `payments.rpc.payment.repair.v1`. */
export function repairOverRpc(rpc: Pick<RpcClient, 'request'>, livemode: boolean): RepairPort {
  return {
    async lookUp({ tenant, payment_id, stripe_payment_intent, reason, actor }) {
      const requestId = `req_${randomUUID().replaceAll('-', '')}`;
      const request: RouteRequest = {
        tenant,
        actor,
        request_id: requestId,
        correlation_id: currentCorrelationId() ?? requestId,
        route: `POST /v1/payments/${payment_id ?? stripe_payment_intent}/repair`,
        params: {},
        query: {},
        idempotency_key: null,
        respond_async: false,
        livemode,
        body: {
          ...(payment_id === null ? {} : { payment_id }),
          ...(stripe_payment_intent === null ? {} : { stripe_payment_intent }),
          reason,
        },
      };
      const reply = await rpc.request<HttpReply>(RPC.paymentRepair, request, { timeoutMs: TIMEOUT_MS });
      return answerOf(reply);
    },
  };
}

function answerOf(reply: HttpReply): RepairAnswer {
  const { action, code, reason } = JSON.parse(reply.body) as { action?: string; code?: string; reason?: string };
  if (reply.status < 300 && action !== 'none') return { kind: 'asked' };
  return { kind: 'refused', status: reply.status, code: code ?? reason ?? `status ${reply.status}` };
}
