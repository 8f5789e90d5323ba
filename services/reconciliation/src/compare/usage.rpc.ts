import { setTimeout as delay } from 'node:timers/promises';
import { OLDEST_USAGE_MS } from '@tidegate/contracts/usage';
import type { CompareUsageBody, UsageComparison } from '@tidegate/contracts/rpc/usage-comparison';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type RpcClient, RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import { routeRequest } from '../route-request.js';
import type { Pass, UsageComparer } from './usage.port.js';

/** Payments begins nothing new after 8 s, and one customer's summaries may be several calls of up to 10 s. */
const TIMEOUT_MS = 40_000;
const PAUSE_MS = 500;
const HOUR_MS = 3_600_000;
const STRIPE_SILENT: StripeOutcome<never> = { kind: 'refused', retryAfterMs: 2000 };

/** The port on `payments.rpc.usage.compare.v1`. Payments may be restarting: it is asked again for `patienceMs`. */
export function usageOverRpc(
  rpc: Pick<RpcClient, 'request'>,
  { livemode, patienceMs, now }: { livemode: boolean; patienceMs: number; now(): Date },
): UsageComparer {
  async function ask(body: CompareUsageBody, { stopping, alive }: Pass): Promise<StripeOutcome<UsageComparison>> {
    const who = { tenant: body.tenant ?? '*', actor: 'service:reconciliation', livemode };
    const request = routeRequest('POST /v1/usage/compare', who, body);
    for (const deadline = performance.now() + patienceMs; ;) {
      alive();
      try {
        return answerOf(await rpc.request<HttpReply>(RPC.usageCompare, request, { timeoutMs: TIMEOUT_MS }));
      } catch (error) {
        const noAnswer = error instanceof RpcUnavailable || error instanceof RpcTimeout || error instanceof RpcFailed;
        if (!noAnswer || performance.now() + PAUSE_MS >= deadline) throw error;
        await delay(PAUSE_MS, undefined, { signal: stopping });
      }
    }
  }

  return {
    page: ({ tenant, period, cursor, unconfirmedToo }, pass) =>
      ask(
        {
          from: timeOf(period.gte),
          to: timeOf(period.lt),
          cursor,
          ...(tenant === null ? {} : { tenant }),
          ...(unconfirmedToo ? { unconfirmed_from: new Date(now().getTime() - OLDEST_USAGE_MS).toISOString() } : {}),
        },
        pass,
      ),
    async hour({ customer, meter, hour }, pass) {
      const to = new Date(Date.parse(hour) + HOUR_MS).toISOString();
      const answer = await ask({ from: hour, to, counter: { customer, meter } }, pass);
      return answer.kind === 'ok' ? { ...answer, value: answer.value.differences[0] ?? null } : answer;
    },
  };
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

function answerOf({ status, body }: HttpReply): StripeOutcome<UsageComparison> {
  if (status === 200) return { kind: 'ok', value: JSON.parse(body) as UsageComparison, requestId: null };
  const { code } = JSON.parse(body) as { code?: string };
  if (status === 503 && code === 'payments.stripe_unavailable') return STRIPE_SILENT;
  if (status >= 500) throw new RpcFailed(RPC.usageCompare, code ?? `status ${status}`);
  throw new Error(`Bug: payments refused to compare usage: ${body}`);
}
