import type { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';

/** Where a snapshot stands among those of its payment: a higher epoch is a later history, a higher version a later event of it. */
export interface SnapshotPosition {
  tenant: string;
  epoch: number;
  version: number;
  occurredAt: Date;
}

/** Records a payment, its refunds and its disputes as a published event shows them, unless a newer event is recorded already. */
export async function recordPayment(tx: Transaction<ReconciliationTables>, payment: PaymentSnapshot, at: SnapshotPosition): Promise<void> {
  await sql`
    INSERT INTO recorded_payments AS p (payment_id, tenant, status, amount, amount_captured, amount_refunded, currency, stripe_payment_intent,
      livemode, created_at, updated_at, epoch, version)
    VALUES (${payment.payment_id}, ${at.tenant}, ${payment.status}, ${payment.amount}, ${payment.amount_captured}, ${payment.amount_refunded},
      ${payment.currency}, ${payment.stripe_payment_intent}, ${payment.livemode}, ${payment.created_at}, ${payment.updated_at}, ${at.epoch}, ${at.version})
    ON CONFLICT (payment_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, amount = excluded.amount, amount_captured = excluded.amount_captured,
      amount_refunded = excluded.amount_refunded, currency = excluded.currency, stripe_payment_intent = excluded.stripe_payment_intent,
      livemode = excluded.livemode, created_at = excluded.created_at, updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (p.epoch, p.version)`.execute(tx);
  if (payment.refunds.length > 0) await recordRefunds(tx, payment, at);
  if (payment.disputes.length > 0) await recordDisputes(tx, payment, at);
}

/** Records a checkout as a published event shows it, unless a newer event is recorded already. */
export async function recordCheckout(
  tx: Transaction<ReconciliationTables>,
  checkout: CheckoutSnapshot,
  at: SnapshotPosition,
): Promise<void> {
  await sql`
    INSERT INTO recorded_checkouts AS c (checkout_id, tenant, status, payment_status, payment_id, amount, currency, stripe_checkout_session, livemode,
      created_at, updated_at, epoch, version)
    VALUES (${checkout.checkout_id}, ${at.tenant}, ${checkout.status}, ${checkout.payment_status}, ${checkout.payment_id}, ${checkout.amount},
      ${checkout.currency}, ${checkout.stripe_checkout_session}, ${checkout.livemode}, ${checkout.created_at}, ${checkout.updated_at}, ${at.epoch}, ${at.version})
    ON CONFLICT (checkout_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, payment_status = excluded.payment_status, payment_id = excluded.payment_id,
      amount = excluded.amount, currency = excluded.currency, stripe_checkout_session = excluded.stripe_checkout_session, livemode = excluded.livemode,
      created_at = excluded.created_at, updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (c.epoch, c.version)`.execute(tx);
}

/** A receipt is issued once and stays. */
export async function recordReceipt(tx: Transaction<ReconciliationTables>, receipt: ReceiptIssued, tenant: string): Promise<void> {
  await sql`
    INSERT INTO recorded_receipts (receipt_id, payment_id, tenant, kind, number, issued_at)
    VALUES (${receipt.receipt_id}, ${receipt.payment_id}, ${tenant}, ${receipt.kind}, ${receipt.number}, ${receipt.issued_at})
    ON CONFLICT (receipt_id) DO NOTHING`.execute(tx);
}

async function recordRefunds(tx: Transaction<ReconciliationTables>, payment: PaymentSnapshot, at: SnapshotPosition): Promise<void> {
  const { refunds } = payment;
  await sql`
    INSERT INTO recorded_refunds AS r (refund_id, payment_id, tenant, status, amount, currency, stripe_refund, first_told_at, updated_at, epoch, version)
    SELECT refund_id, ${payment.payment_id}, ${at.tenant}, status, amount, ${payment.currency}, stripe_refund, ${at.occurredAt}::timestamptz,
      ${at.occurredAt}::timestamptz, ${at.epoch}, ${at.version}
    FROM unnest(${refunds.map((one) => one.id)}::text[], ${refunds.map((one) => one.status)}::text[], ${refunds.map((one) => one.amount)}::bigint[],
      ${refunds.map((one) => one.stripe_refund)}::text[]) AS told(refund_id, status, amount, stripe_refund)
    ON CONFLICT (refund_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, stripe_refund = excluded.stripe_refund, epoch = excluded.epoch, version = excluded.version,
      updated_at = CASE WHEN (r.status, r.stripe_refund) IS DISTINCT FROM (excluded.status, excluded.stripe_refund) THEN excluded.updated_at ELSE r.updated_at END
    WHERE (excluded.epoch, excluded.version) > (r.epoch, r.version)`.execute(tx);
}

async function recordDisputes(tx: Transaction<ReconciliationTables>, payment: PaymentSnapshot, at: SnapshotPosition): Promise<void> {
  const { disputes } = payment;
  await sql`
    INSERT INTO recorded_disputes AS d (dispute_id, payment_id, tenant, status, amount, currency, created_at, updated_at, epoch, version)
    SELECT dispute_id, ${payment.payment_id}, ${at.tenant}, status, amount, currency, created_at, ${at.occurredAt}::timestamptz, ${at.epoch}, ${at.version}
    FROM unnest(${disputes.map((one) => one.id)}::text[], ${disputes.map((one) => one.status)}::text[], ${disputes.map((one) => one.amount)}::bigint[],
      ${disputes.map((one) => one.currency)}::text[], ${disputes.map((one) => one.created_at)}::timestamptz[])
      AS told(dispute_id, status, amount, currency, created_at)
    ON CONFLICT (dispute_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, currency = excluded.currency, epoch = excluded.epoch, version = excluded.version,
      updated_at = CASE WHEN (d.status, d.amount) IS DISTINCT FROM (excluded.status, excluded.amount) THEN excluded.updated_at ELSE d.updated_at END
    WHERE (excluded.epoch, excluded.version) > (d.epoch, d.version)`.execute(tx);
}
