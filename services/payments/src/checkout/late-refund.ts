import { type RefundView } from '@tidegate/contracts/responses';
import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { type CheckoutEvent } from './checkout.events.js';
import { type Checkout } from './checkout.state.js';

export interface LateRefundDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  /** The refund of payments, as anybody asks for it. */
  refund: RouteHandler;
}

/** `later`: its outcome is open. `stuck`: a person must do it; looked at now and then, because a refund by hand ends it, too. */
export type LateRefund = { kind: 'refunded'; events: CheckoutEvent[] } | { kind: 'later' } | { kind: 'stuck' };

/**
 * Gives a late success back in full, through the same door as any refund and under one key, or the next one once Stripe has certainly never executed it. Should it
 * appear after all, Stripe and the sum that was captured refuse the second.
 */
export async function refundLateSuccess(deps: LateRefundDeps, checkout: Checkout, correlationId: string): Promise<LateRefund> {
  const { checkout_id, tenant, livemode } = checkout.terms;
  const id = checkout.payment_id ?? '';
  const payment = await deps.db
    .selectFrom('payments')
    .select(['status', 'amount_captured', 'amount_refunded', 'refunds'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (payment?.status !== 'succeeded') {
    if (payment) await wishRefresh(deps.db, id, deps.clock.now());
    return { kind: 'later' };
  }
  if (payment.amount_refunded >= payment.amount_captured) return refunded(null);
  const lost = payment.refunds.filter(({ status, failure }) => status === 'failed' && failure?.code === 'not_executed').length;
  const request: RouteRequest = {
    tenant,
    actor: 'payments.checkout',
    request_id: `${checkout_id}:late`,
    correlation_id: correlationId,
    route: `POST /v1/payments/${id}/refunds`,
    params: { id },
    query: {},
    idempotency_key: lost === 0 ? `late:${checkout_id}` : `late:${checkout_id}:${lost + 1}`,
    respond_async: false,
    livemode,
    body: {},
  };
  const reply = await deps.refund(request, Date.now());
  const refund = reply.status === 201 ? (JSON.parse(reply.body) as RefundView) : null;
  if (refund?.status === 'succeeded' || refund?.status === 'pending') return refunded(refund.id);
  if (refund?.status === 'unknown' || reply.status >= 500 || reply.status === 409) return { kind: 'later' };
  deps.logger.error(
    { event: 'late_refund_refused', payment_session_id: checkout_id, payment_id: id, status: reply.status, body: reply.body },
    'A late success could not be given back; refund it by hand',
  );
  return { kind: 'stuck' };
}

const refunded = (refund_id: string | null): LateRefund => ({
  kind: 'refunded',
  events: [{ type: 'LateSuccessRefunded', data: { refund_id } }],
});
