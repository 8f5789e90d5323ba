import { type StripeCheckView } from '@tidegate/contracts/ops/stripe-check';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { fingerprintOf, kindOf } from '@tidegate/service-host/secret';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { diagnose } from '@tidegate/stripe-gateway/diagnose';
import { probeStripe, STRIPE_API_BASE } from '@tidegate/stripe-gateway/probe';
import { modeOfKey } from '@tidegate/stripe-gateway/secret-key';
import { readStatusPage } from '@tidegate/stripe-gateway/status-page';
import { type RouteHandler } from '../payment/payment.rpc.js';

export interface StripeCheckDeps {
  secretKey(): string;
  apiBase: string | undefined;
  deadlineMs: number;
  statusUrl: string;
  instance: string;
}

/**
 * `payments.rpc.stripe.check.v1`: finds out for an operator what is wrong between us and Stripe. Whoever asks while a check runs gets the same answer, so that
 * one process never has more than one of these calls in the air.
 */
export function stripeCheckHandlers(deps: StripeCheckDeps): Partial<Record<RpcSubject, RouteHandler>> {
  let running: Promise<StripeCheckView> | undefined;
  return {
    [RPC.stripeCheck]: async () => {
      running ??= check(deps).finally(() => (running = undefined));
      return jsonReply(200, await running);
    },
  };
}

async function check({ secretKey, apiBase, deadlineMs, statusUrl, instance }: StripeCheckDeps): Promise<StripeCheckView> {
  const key = secretKey();
  const [probed, status_page] = await Promise.all([
    probeStripe({ secretKey: key, deadlineMs, ...(apiBase ? { apiBase } : {}) }),
    readStatusPage(statusUrl),
  ]);
  const { result, findings, account, answeredVersion, clockSkewSeconds, requestId } = diagnose(probed);
  return {
    object: 'stripe_check',
    result,
    findings: findings.map((one) => ({ ...one, detail: one.detail.replaceAll(key, '[key]') })),
    phase: probed.kind === 'answer' ? 'answer' : probed.phase,
    instance,
    // Of the wall clock, which is what is compared with Stripe's.
    checked_at: new Date().toISOString(),
    api_base: apiBase ?? STRIPE_API_BASE,
    account,
    livemode: modeOfKey(key) === 'live',
    key: { kind: kindOf(key), fingerprint: fingerprintOf(key) },
    http_status: probed.kind === 'answer' ? probed.status : null,
    request_id: requestId,
    api_version: { pinned: API_VERSION, answered: answeredVersion },
    clock_skew_seconds: clockSkewSeconds,
    timings: {
      dns_ms: probed.timings.dns ?? null,
      tcp_ms: probed.timings.tcp ?? null,
      tls_ms: probed.timings.tls ?? null,
      answer_ms: probed.timings.answer ?? null,
    },
    status_page,
  };
}
