import { type DisputeSnapshot, type PaymentSnapshot } from '@tidegate/contracts/payment';
import { type DisputeView, type PaymentView, type RefundView } from '@tidegate/contracts/responses';
import { type Selectable } from 'kysely';
import { type PaymentsTable } from '../tables.js';
import { currentDispute, isInquiry } from './dispute.decide.js';
import { snapshotOf } from './payment.publish.js';
import { type Payment, type Refund, refundStatusOf } from './payment.state.js';

/** What only a fresh answer of Stripe's has; never stored but in replies. */
export interface Secrets {
  client_secret: string | null;
  next_action: unknown;
}

type Refunds = {
  id: string;
  status: RefundView['status'];
  amount: number;
  reason: string | null;
  created_at: string;
  failure?: { code: string; message: string } | null;
}[];

/** The payment as REST answers it to the one who made it. */
export function viewOf(payment: Payment, receipt: string | null, secrets: Secrets | null): PaymentView {
  const refunds = payment.refunds.map((refund) => ({ ...refund, status: refundStatusOf(refund) }));
  return assemble(snapshotOf(payment), payment.terms.metadata, refunds, receipt, secrets);
}

/** The same from the projection, for readers; without secrets. */
export function viewOfRow(row: Selectable<PaymentsTable>, receipt: string | null): PaymentView {
  const times = { created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() };
  return assemble(
    { ...row, payment_id: row.id, status: row.status as PaymentSnapshot['status'], ...times },
    row.metadata,
    row.refunds,
    receipt,
    null,
  );
}

export const refundView = (refund: Refund): RefundView => toRefundView({ ...refund, status: refundStatusOf(refund) });

type Shown = Omit<PaymentSnapshot, 'refunds' | 'stripe_charge' | 'card' | 'capture_method' | 'livemode' | 'paid_at'>;

function assemble(
  shown: Shown,
  metadata: Record<string, string>,
  refunds: Refunds,
  receipt: string | null,
  secrets: Secrets | null,
): PaymentView {
  return {
    id: shown.payment_id,
    object: 'payment',
    status: shown.status,
    amount: shown.amount,
    amount_captured: shown.amount_captured,
    amount_refunded: shown.amount_refunded,
    currency: shown.currency,
    stripe_payment_intent: shown.stripe_payment_intent,
    ...(secrets?.client_secret ? { client_secret: secrets.client_secret } : {}),
    ...(secrets?.next_action ? { next_action: secrets.next_action } : {}),
    ...(shown.failure ? { failure: shown.failure } : {}),
    ...(shown.cancellation_reason ? { cancellation_reason: shown.cancellation_reason } : {}),
    refunds: refunds.map(toRefundView),
    ...disputesShown(shown.disputes),
    receipt,
    origin: shown.origin,
    metadata,
    created_at: shown.created_at,
    updated_at: shown.updated_at,
  };
}

function disputesShown(disputes: readonly DisputeSnapshot[]): Pick<PaymentView, 'dispute' | 'disputes'> {
  const current = currentDispute(disputes);
  return current ? { dispute: toDisputeView(current), disputes: disputes.map(toDisputeView) } : {};
}

const toDisputeView = ({ id, status, amount, currency, reason, respond_by, funds, created_at }: DisputeSnapshot): DisputeView => ({
  id,
  object: 'dispute',
  kind: isInquiry(status) ? 'inquiry' : 'chargeback',
  status,
  amount,
  currency,
  reason,
  respond_by,
  funds,
  created_at,
});

const toRefundView = ({ id, status, amount, reason, created_at, failure }: Refunds[number]): RefundView => ({
  id,
  object: 'refund',
  status,
  amount,
  reason,
  ...(status === 'failed' && failure ? { failure: { code: failure.code, message: failure.message } } : {}),
  created_at,
});
