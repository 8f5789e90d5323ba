import { StripeSetupBody } from '@tidegate/contracts/ops/stripe-setup';
import { problemOf, PROBLEMS } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { RouteRequest } from '@tidegate/contracts/rpc/routes';
import type { StripeFailure } from '@tidegate/stripe-gateway/outcome';
import { lookAtSetup, type Result, setUp, type SetupDeps } from './setup.flow.js';

/** `webhooks.rpc.stripe_setup.get.v1`: 200 with how the endpoint of `query.url` stands at Stripe, and what would repair it. */
export async function answerSetupGet(deps: SetupDeps, request: unknown): Promise<HttpReply> {
  const { query, request_id } = RouteRequest.parse(request);
  return replyTo(await lookAtSetup(deps, query['url'] ?? ''), request_id);
}

/** `webhooks.rpc.stripe_setup.repair.v1`: 200 with what was done. */
export async function answerSetupRepair(deps: SetupDeps, request: unknown): Promise<HttpReply> {
  const { body, actor, request_id } = RouteRequest.parse(request);
  const { url, reason } = StripeSetupBody.parse(body);
  return replyTo(await setUp(deps, url, { actor, reason }), request_id);
}

function replyTo(result: Result<object>, requestId: string): HttpReply {
  return result.kind === 'ok' ? jsonReply(200, result.value) : failureReply(result.failure, requestId);
}

/** 422 when Stripe refuses it, 503 when nothing certain is known. */
export function failureReply(failure: StripeFailure, requestId: string): HttpReply {
  const refused = failure.kind === 'rejected' || failure.kind === 'auth' || failure.kind === 'not_found';
  const code = refused ? 'stripe.refused' : 'stripe.unavailable';
  return jsonReply(PROBLEMS[code].status, problemOf(code, saidBy(failure), requestId));
}

const saidBy = (failure: StripeFailure): string =>
  'message' in failure ? failure.message : `Stripe could not be asked (${failure.kind}).`;
