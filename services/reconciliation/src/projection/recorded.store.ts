import type { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { rounds } from './rounds.js';

/** Where a snapshot stands among those of its payment: a higher epoch is a later history, a higher version a later event of it. */
export interface SnapshotPosition {
  tenant: string;
  epoch: number;
  version: number;
  occurredAt: Date;
}

/** What a published event shows of an object, and where it stands among the object's events. */
export interface Told<T> {
  shows: T;
  at: SnapshotPosition;
}

/** Records a payment, its refunds and its disputes as a published event shows them, unless a newer event is recorded already. */
export const recordPayment = (tx: Transaction<ReconciliationTables>, shows: PaymentSnapshot, at: SnapshotPosition): Promise<void> =>
  recordPayments(tx, [{ shows, at }]);

/** The same of many events, of each payment in their order, as if it were one by one: a statement for all, and some for each time that a payment with refunds or disputes comes again. */
export async function recordPayments(tx: Transaction<ReconciliationTables>, told: readonly Told<PaymentSnapshot>[]): Promise<void> {
  const newest = newestOf(told, (one) => one.payment_id);
  const each = <T>(value: (one: Told<PaymentSnapshot>) => T): T[] => newest.map(value);
  await sql`
    INSERT INTO recorded_payments AS p (payment_id, tenant, status, amount, amount_captured, amount_refunded, currency, stripe_payment_intent,
      livemode, created_at, updated_at, epoch, version)
    SELECT * FROM unnest(${each(({ shows }) => shows.payment_id)}::text[], ${each(({ at }) => at.tenant)}::text[],
      ${each(({ shows }) => shows.status)}::text[], ${each(({ shows }) => shows.amount)}::bigint[],
      ${each(({ shows }) => shows.amount_captured)}::bigint[], ${each(({ shows }) => shows.amount_refunded)}::bigint[],
      ${each(({ shows }) => shows.currency)}::text[], ${each(({ shows }) => shows.stripe_payment_intent)}::text[],
      ${each(({ shows }) => shows.livemode)}::boolean[], ${each(({ shows }) => shows.created_at)}::timestamptz[],
      ${each(({ shows }) => shows.updated_at)}::timestamptz[], ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[])
    ON CONFLICT (payment_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, amount = excluded.amount, amount_captured = excluded.amount_captured,
      amount_refunded = excluded.amount_refunded, currency = excluded.currency, stripe_payment_intent = excluded.stripe_payment_intent,
      livemode = excluded.livemode, created_at = excluded.created_at, updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (p.epoch, p.version)`.execute(tx);
  // When a refund or a dispute was told of first and changed last, only all of them tell.
  const refunded = told.filter(({ shows }) => shows.refunds.length > 0);
  for (const round of rounds(refunded, ({ shows }) => shows.payment_id)) await recordRefunds(tx, round);
  const disputed = told.filter(({ shows }) => shows.disputes.length > 0);
  for (const round of rounds(disputed, ({ shows }) => shows.payment_id)) await recordDisputes(tx, round);
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
export async function recordReceipts(
  tx: Transaction<ReconciliationTables>,
  receipts: readonly { receipt: ReceiptIssued; tenant: string }[],
): Promise<void> {
  const each = <T>(value: (one: ReceiptIssued) => T): T[] => receipts.map(({ receipt }) => value(receipt));
  await sql`
    INSERT INTO recorded_receipts (receipt_id, payment_id, tenant, kind, number, issued_at)
    SELECT * FROM unnest(${each((one) => one.receipt_id)}::text[], ${each((one) => one.payment_id)}::text[],
      ${receipts.map((one) => one.tenant)}::text[], ${each((one) => one.kind)}::text[], ${each((one) => one.number)}::text[],
      ${each((one) => one.issued_at)}::timestamptz[])
    ON CONFLICT (receipt_id) DO NOTHING`.execute(tx);
}

/** At most one event of each payment. */
async function recordRefunds(tx: Transaction<ReconciliationTables>, told: readonly Told<PaymentSnapshot>[]): Promise<void> {
  const refunds = told.flatMap(({ shows, at }) => shows.refunds.map((refund) => ({ refund, shows, at })));
  const each = <T>(value: (one: (typeof refunds)[number]) => T): T[] => refunds.map(value);
  await sql`
    INSERT INTO recorded_refunds AS r (refund_id, payment_id, tenant, status, amount, currency, stripe_refund, epoch, version, first_told_at, updated_at)
    SELECT *, told.updated_at FROM unnest(${each(({ refund }) => refund.id)}::text[], ${each(({ shows }) => shows.payment_id)}::text[],
      ${each(({ at }) => at.tenant)}::text[], ${each(({ refund }) => refund.status)}::text[], ${each(({ refund }) => refund.amount)}::bigint[],
      ${each(({ shows }) => shows.currency)}::text[], ${each(({ refund }) => refund.stripe_refund)}::text[],
      ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[], ${each(({ at }) => at.occurredAt)}::timestamptz[])
      AS told(refund_id, payment_id, tenant, status, amount, currency, stripe_refund, epoch, version, updated_at)
    ON CONFLICT (refund_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, stripe_refund = excluded.stripe_refund, epoch = excluded.epoch, version = excluded.version,
      updated_at = CASE WHEN (r.status, r.stripe_refund) IS DISTINCT FROM (excluded.status, excluded.stripe_refund) THEN excluded.updated_at ELSE r.updated_at END
    WHERE (excluded.epoch, excluded.version) > (r.epoch, r.version)`.execute(tx);
}

/** At most one event of each payment. */
async function recordDisputes(tx: Transaction<ReconciliationTables>, told: readonly Told<PaymentSnapshot>[]): Promise<void> {
  const disputes = told.flatMap(({ shows, at }) => shows.disputes.map((dispute) => ({ dispute, shows, at })));
  const each = <T>(value: (one: (typeof disputes)[number]) => T): T[] => disputes.map(value);
  await sql`
    INSERT INTO recorded_disputes AS d (dispute_id, payment_id, tenant, status, amount, currency, created_at, updated_at, epoch, version)
    SELECT * FROM unnest(${each(({ dispute }) => dispute.id)}::text[], ${each(({ shows }) => shows.payment_id)}::text[],
      ${each(({ at }) => at.tenant)}::text[], ${each(({ dispute }) => dispute.status)}::text[], ${each(({ dispute }) => dispute.amount)}::bigint[],
      ${each(({ dispute }) => dispute.currency)}::text[], ${each(({ dispute }) => dispute.created_at)}::timestamptz[],
      ${each(({ at }) => at.occurredAt)}::timestamptz[], ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[])
    ON CONFLICT (dispute_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, currency = excluded.currency, epoch = excluded.epoch, version = excluded.version,
      updated_at = CASE WHEN (d.status, d.amount) IS DISTINCT FROM (excluded.status, excluded.amount) THEN excluded.updated_at ELSE d.updated_at END
    WHERE (excluded.epoch, excluded.version) > (d.epoch, d.version)`.execute(tx);
}

/** Of each object the event that stands highest, the first of several at one place; in the order in which the objects came. */
function newestOf<T>(told: readonly Told<T>[], idOf: (shows: T) => string): Told<T>[] {
  const newest = new Map<string, Told<T>>();
  for (const one of told) {
    const known = newest.get(idOf(one.shows));
    if (!known || one.at.epoch > known.at.epoch || (one.at.epoch === known.at.epoch && one.at.version > known.at.version))
      newest.set(idOf(one.shows), one);
  }
  return [...newest.values()];
}
