import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import type { RpcClient } from '@tidegate/messaging/rpc';
import { routeRequest } from '../route-request.js';
import type { RepairAnswer, RepairPort, Told } from './repair.port.js';

/** Longer than payments needs for one look-up at Stripe (10 s). */
const TIMEOUT_MS = 15_000;

/** The port on `payments.rpc.payment.repair.v1`, `payments.rpc.usage.repair.v1` and `receipts.rpc.receipt.issue.v1`. */
export function repairOverRpc(rpc: Pick<RpcClient, 'request'>, livemode: boolean): RepairPort {
  async function ask(subject: RpcSubject, route: string, who: { tenant: string; actor: string }, body: object): Promise<RepairAnswer> {
    const request = routeRequest(route, { ...who, livemode }, body);
    return answerOf(await rpc.request<HttpReply>(subject, request, { timeoutMs: TIMEOUT_MS }));
  }
  return {
    lookUp: ({ tenant, actor, payment_id, stripe_payment_intent, checkout_id, stripe_subscription, stripe_invoice, reason }) =>
      ask(
        RPC.paymentRepair,
        `POST /v1/payments/${payment_id ?? stripe_payment_intent ?? checkout_id ?? stripe_subscription ?? stripe_invoice}/repair`,
        { tenant, actor },
        {
          ...(payment_id === null ? {} : { payment_id }),
          ...(stripe_payment_intent === null ? {} : { stripe_payment_intent }),
          ...(checkout_id === undefined ? {} : { checkout_id }),
          ...(stripe_subscription === undefined ? {} : { stripe_subscription }),
          ...(stripe_invoice === undefined ? {} : { stripe_invoice }),
          reason,
        },
      ),
    issueReceipt: ({ tenant, actor, payment, reason }) =>
      ask(RPC.receiptIssue, `POST /v1/payments/${payment.payment_id}/receipt`, { tenant, actor }, { payment, reason }),
    reportUsage: ({ tenant, actor, ...body }) => ask(RPC.usageRepair, 'POST /v1/ops/usage/repair', { tenant, actor }, body),
  };
}

function answerOf(reply: HttpReply): RepairAnswer {
  const { action, code, reason, told } = JSON.parse(reply.body) as { action?: string; code?: string; reason?: string; told?: Told };
  if (reply.status < 300 && action !== 'none') return { kind: 'asked', ...(told ? { told } : {}) };
  return { kind: 'refused', status: reply.status, code: code ?? reason ?? `status ${reply.status}` };
}
