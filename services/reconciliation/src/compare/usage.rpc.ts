import { setTimeout as delay } from 'node:timers/promises';
import { OLDEST_USAGE_MS } from '@tidegate/contracts/usage';
import { type BilledComparison, type CompareInvoicesBody, MOST_BILLED } from '@tidegate/contracts/rpc/billed-usage';
import type { CompareUsageBody, UsageComparison } from '@tidegate/contracts/rpc/usage-comparison';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type RpcClient, RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { StripeOutcome } from '@tidegate/stripe-gateway/port';
import { routeRequest } from '../route-request.js';
import type { BilledFound, Pass, UsageComparer } from './usage.port.js';

/** Payments begins nothing new after 8 s, and one customer's summaries may be several calls of up to 10 s. */
const TIMEOUT_MS = 40_000;
const PAUSE_MS = 500;
const HOUR_MS = 3_600_000;
const INVOICES: Question = { subject: RPC.usageCompareInvoices, route: 'POST /v1/usage/compare-invoices', tenant: '*' };
const STRIPE_SILENT: StripeOutcome<never> = { kind: 'refused', retryAfterMs: 2000 };

interface Question {
  subject: RpcSubject;
  route: string;
  tenant: string;
}

/** The port on `payments.rpc.usage.compare.v1` and `payments.rpc.usage.compare_invoices.v1`. Payments may be restarting: it is asked again for `patienceMs`. */
export function usageOverRpc(
  rpc: Pick<RpcClient, 'request'>,
  { livemode, patienceMs, now }: { livemode: boolean; patienceMs: number; now(): Date },
): UsageComparer {
  async function ask<T>({ subject, route, tenant }: Question, body: object, { stopping, alive }: Pass): Promise<StripeOutcome<T>> {
    const request = routeRequest(route, { tenant, actor: 'service:reconciliation', livemode }, body);
    for (const deadline = performance.now() + patienceMs; ;) {
      alive();
      try {
        return answerOf<T>(subject, await rpc.request<HttpReply>(subject, request, { timeoutMs: TIMEOUT_MS }));
      } catch (error) {
        const noAnswer = error instanceof RpcUnavailable || error instanceof RpcTimeout || error instanceof RpcFailed;
        if (!noAnswer || performance.now() + PAUSE_MS >= deadline) throw error;
        await delay(PAUSE_MS, undefined, { signal: stopping });
      }
    }
  }

  const compare = (body: CompareUsageBody, pass: Pass) =>
    ask<UsageComparison>({ subject: RPC.usageCompare, route: 'POST /v1/usage/compare', tenant: body.tenant ?? '*' }, body, pass);

  return {
    page: ({ tenant, period, cursor, unconfirmedToo }, pass) =>
      compare(
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
      const answer = await compare({ from: hour, to, counter: { customer, meter } }, pass);
      return answer.kind === 'ok' ? { ...answer, value: answer.value.differences[0] ?? null } : answer;
    },
    async billed(billed, pass) {
      const found: BilledFound = { compared: 0, differences: [], not_compared: [] };
      for (let at = 0; at < billed.length;) {
        const body: CompareInvoicesBody = { billed: billed.slice(at, at + MOST_BILLED) };
        const answer = await ask<BilledComparison>(INVOICES, body, pass);
        if (answer.kind !== 'ok') return answer;
        const { looked_at, compared, differences, not_compared } = answer.value;
        if (looked_at === 0) throw new Error('Bug: payments looked at none of what it was asked');
        at += looked_at;
        found.compared += compared;
        found.differences.push(...differences);
        found.not_compared.push(...not_compared);
      }
      return { kind: 'ok', value: found, requestId: null };
    },
  };
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

function answerOf<T>(subject: RpcSubject, { status, body }: HttpReply): StripeOutcome<T> {
  if (status === 200) return { kind: 'ok', value: JSON.parse(body) as T, requestId: null };
  const { code } = JSON.parse(body) as { code?: string };
  if (status === 503 && code === 'payments.stripe_unavailable') return STRIPE_SILENT;
  if (status >= 500) throw new RpcFailed(subject, code ?? `status ${status}`);
  throw new Error(`Bug: payments refused to compare usage: ${body}`);
}
