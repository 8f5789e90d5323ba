import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely, type Selectable } from 'kysely';
import { refundIdOf, type Scope } from '../idempotency/identity.js';
import { type RouteHandler } from '../payment/payment.rpc.js';
import { type PaymentsTable, type PaymentsTables } from '../tables.js';
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

/** What Stripe has failed to give back, or refused to, so often is left to a person: the payer's account may be closed. */
const MOST_FAILED = 3;

type Money = Pick<Selectable<PaymentsTable>, 'status' | 'amount_captured' | 'amount_refunded' | 'refunds'>;

/**
 * Gives a late success back in full, through the same door as any refund and under one key, or the next one once the refund of that has certainly failed. Should one
 * that never was executed appear after all, Stripe and the sum that was captured refuse the second. How a refund stands its payment says: the stored answer of a
 * request does not know what became of it later.
 */
export async function refundLateSuccess(deps: LateRefundDeps, checkout: Checkout, correlationId: string): Promise<LateRefund> {
  const { checkout_id, tenant, livemode } = checkout.terms;
  const id = checkout.payment_id ?? '';
  const payment = await moneyOf(deps.db, id);
  if (payment?.status !== 'succeeded') {
    if (payment) await wishRefresh(deps.db, id, deps.clock.now());
    return { kind: 'later' };
  }
  if (payment.amount_refunded >= payment.amount_captured) return refunded(null);
  // The rest is out with a refund that nobody knows the outcome of.
  if (reserved(payment) >= payment.amount_captured) return { kind: 'later' };
  const route = `POST /v1/payments/${id}/refunds`;
  const { scope, refundId, failed } = nextScope(payment, { tenant, route, checkoutId: checkout_id });
  if (failed >= MOST_FAILED) return stuck(deps, checkout, { failed });
  const request: RouteRequest = {
    tenant,
    actor: 'payments.checkout',
    request_id: `${checkout_id}:late`,
    correlation_id: correlationId,
    route,
    params: { id },
    query: {},
    idempotency_key: scope.key,
    respond_async: false,
    livemode,
    body: {},
  };
  const reply = await deps.refund(request, Date.now());
  const status = reply.status === 201 ? (await moneyOf(deps.db, id))?.refunds.find((one) => one.id === refundId)?.status : null;
  if (status === 'succeeded' || status === 'pending')
    return (await isGivenBack(deps.db, checkout)) ? refunded(refundId) : { kind: 'later' };
  if (status === 'unknown' || status === 'failed' || reply.status >= 500 || reply.status === 409) return { kind: 'later' };
  return stuck(deps, checkout, { status: reply.status, body: reply.body });
}

/** Whether all of it is with the payer, or on its way there. A payment that is not known, or never was, has nothing to give back. */
export async function isGivenBack(db: Kysely<PaymentsTables>, { payment_id }: Checkout): Promise<boolean> {
  const payment = payment_id === null ? undefined : await moneyOf(db, payment_id);
  return payment?.status !== 'succeeded' || payment.amount_refunded >= payment.amount_captured;
}

const moneyOf = (db: Kysely<PaymentsTables>, id: string): Promise<Money | undefined> =>
  db.selectFrom('payments').select(['status', 'amount_captured', 'amount_refunded', 'refunds']).where('id', '=', id).executeTakeFirst();

const reserved = ({ refunds }: Money): number =>
  refunds.filter(({ status }) => status !== 'failed').reduce((sum, { amount }) => sum + amount, 0);

/**
 * The first key under which a refund is open or can be made; `failed`: of those before it, how many Stripe has executed in vain or refused. One that went well was of the rest, beside a
 * refund of somebody else's that has failed since.
 */
function nextScope(
  { refunds }: Money,
  { tenant, route, checkoutId }: { tenant: string; route: string; checkoutId: string },
): { scope: Scope; refundId: string; failed: number } {
  for (let n = 1, failed = 0; ; n += 1) {
    const scope = { tenant, route, key: n === 1 ? `late:${checkoutId}` : `late:${checkoutId}:${n}` };
    const refundId = refundIdOf(scope);
    const before = refunds.find(({ id }) => id === refundId);
    if (before === undefined || !ENDED.includes(before.status)) return { scope, refundId, failed };
    if (before.status === 'failed' && before.failure?.code !== 'not_executed') failed += 1;
  }
}

const ENDED: readonly string[] = ['failed', 'succeeded', 'pending'];

function stuck({ logger }: LateRefundDeps, { terms, payment_id }: Checkout, why: object): LateRefund {
  logger.error(
    { event: 'late_refund_refused', payment_session_id: terms.checkout_id, payment_id, ...why },
    'A late success could not be given back; refund it by hand',
  );
  return { kind: 'stuck' };
}

const refunded = (refund_id: string | null): LateRefund => ({
  kind: 'refunded',
  events: [{ type: 'LateSuccessRefunded', data: { refund_id } }],
});
