import { problemOf, type ProblemCode, PROBLEMS } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentOperation } from '../idempotency/identity.js';
import { type Rejection } from './payment.events.js';
import { type Payment, type Refund, statusOf } from './payment.state.js';
import { refundView, type Secrets, viewOf } from './payment.view.js';

const STATUS: Record<PaymentOperation, number> = { create: 201, confirm: 200, capture: 200, cancel: 200, refund: 201 };

/** The answer to a command on the payment, from its state: certain or, while it is queued or unknown, as it is now. */
export function paymentReply(operation: PaymentOperation, payment: Payment, secrets: Secrets | null): HttpReply {
  const queued = operation === 'create' && statusOf(payment) === 'queued';
  return jsonReply(queued ? 202 : STATUS[operation], viewOf(payment, null, secrets));
}

/** A refund that Stripe refused is the caller's fault; one that failed later is a refund with that status. */
export function refundReply(refund: Refund, requestId: string): HttpReply {
  const refusedByStripe = refund.status === 'failed' && refund.stripe_refund === null && refund.failure?.code !== 'not_executed';
  if (refusedByStripe)
    return rejectionReply(
      { code: 'payments.rejected_by_stripe', detail: `${refund.failure?.code}: ${refund.failure?.message}` },
      requestId,
    );
  return jsonReply(STATUS.refund, refundView(refund));
}

export function rejectionReply(rejection: Rejection, requestId: string): HttpReply {
  return problemReply(rejection.code as ProblemCode, rejection.detail, requestId);
}

export function problemReply(
  code: ProblemCode,
  detail: string,
  requestId: string,
  extra: { retryAfterMs?: number; errors?: { path: string; message: string }[] } = {},
): HttpReply {
  const headers: Record<string, string> = {};
  if (extra.retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(extra.retryAfterMs / 1000)));
  return jsonReply(PROBLEMS[code].status, problemOf(code, detail, requestId, extra.errors), headers);
}
