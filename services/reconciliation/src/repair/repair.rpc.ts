import { randomUUID } from 'node:crypto';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { RpcClient } from '@tidegate/messaging/rpc';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import type { RepairPort } from './repair.port.js';

/** Longer than payments needs for one look-up at Stripe (10 s). */
const TIMEOUT_MS = 15_000;

/** The port on `payments.rpc.payment.repair.v1`. */
export function repairOverRpc(rpc: Pick<RpcClient, 'request'>, livemode: boolean): RepairPort {
  return {
    async lookUp({ tenant, payment_id, reason, actor }) {
      const requestId = `req_${randomUUID().replaceAll('-', '')}`;
      const request: RouteRequest = {
        tenant,
        actor,
        request_id: requestId,
        correlation_id: currentCorrelationId() ?? requestId,
        route: `POST /v1/payments/${payment_id}/repair`,
        params: { id: payment_id, payment_id },
        query: {},
        idempotency_key: null,
        respond_async: false,
        livemode,
        body: { payment_id, reason },
      };
      const reply = await rpc.request<HttpReply>(RPC.paymentRepair, request, { timeoutMs: TIMEOUT_MS });
      return reply.status < 300 ? { kind: 'asked' } : { kind: 'refused', status: reply.status, code: codeOf(reply) };
    },
  };
}

function codeOf(reply: HttpReply): string {
  try {
    const { code } = JSON.parse(reply.body) as { code?: unknown };
    return typeof code === 'string' ? code : `status ${reply.status}`;
  } catch {
    return `status ${reply.status}`;
  }
}
