import type { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { inTurns, isNewer, rounds } from './rounds.js';

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

/** The same of many events, of each payment in their order, as if it were one by one; in as few statements as it takes. */
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
  const refunds = told.flatMap(({ shows, at }) => shows.refunds.map((refund) => ({ shows: { ...refund, payment: shows }, at })));
  for (const spans of await spansOf(tx, refunds, REFUNDS)) await recordRefunds(tx, spans);
  const disputes = told.flatMap(({ shows, at }) => shows.disputes.map((dispute) => ({ shows: { ...dispute, payment: shows }, at })));
  for (const spans of await spansOf(tx, disputes, DISPUTES)) await recordDisputes(tx, spans);
}

/** Records a checkout as a published event shows it, unless a newer event is recorded already. */
export const recordCheckout = (tx: Transaction<ReconciliationTables>, shows: CheckoutSnapshot, at: SnapshotPosition): Promise<void> =>
  recordCheckouts(tx, [{ shows, at }]);

/** The same of many events, in any order. */
export async function recordCheckouts(tx: Transaction<ReconciliationTables>, told: readonly Told<CheckoutSnapshot>[]): Promise<void> {
  const newest = newestOf(told, (one) => one.checkout_id);
  const each = <T>(value: (one: Told<CheckoutSnapshot>) => T): T[] => newest.map(value);
  await sql`
    INSERT INTO recorded_checkouts AS c (checkout_id, tenant, status, payment_status, payment_id, amount, currency, stripe_checkout_session, livemode,
      created_at, updated_at, epoch, version)
    SELECT * FROM unnest(${each(({ shows }) => shows.checkout_id)}::text[], ${each(({ at }) => at.tenant)}::text[],
      ${each(({ shows }) => shows.status)}::text[], ${each(({ shows }) => shows.payment_status)}::text[], ${each(({ shows }) => shows.payment_id)}::text[],
      ${each(({ shows }) => shows.amount)}::bigint[], ${each(({ shows }) => shows.currency)}::text[],
      ${each(({ shows }) => shows.stripe_checkout_session)}::text[], ${each(({ shows }) => shows.livemode)}::boolean[],
      ${each(({ shows }) => shows.created_at)}::timestamptz[], ${each(({ shows }) => shows.updated_at)}::timestamptz[],
      ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[])
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

/** A part of a payment that is told of, with what its events show of it. */
type Part<T> = T & { id: string; payment: PaymentSnapshot };
type RefundTold = Told<Part<PaymentSnapshot['refunds'][number]>>;
type DisputeTold = Told<Part<PaymentSnapshot['disputes'][number]>>;

/** What follows one after another of a refund or dispute: the first event, the last one, and when it changed last in between; null when it did not. */
interface Span<T> {
  first: T;
  last: T;
  changedAt: Date | null;
}

interface Kind<T> {
  table: string;
  key: string;
  isSame(one: T, other: T): boolean;
}

const REFUNDS: Kind<RefundTold['shows']> = {
  table: 'recorded_refunds',
  key: 'refund_id',
  isSame: (one, other) => one.status === other.status && one.stripe_refund === other.stripe_refund,
};
const DISPUTES: Kind<DisputeTold['shows']> = {
  table: 'recorded_disputes',
  key: 'dispute_id',
  isSame: (one, other) => one.status === other.status && one.amount === other.amount,
};

/** Each list is one statement: nothing of it comes twice, and within one either all have changed in between or none. */
async function spansOf<T extends { id: string }>(
  tx: Transaction<ReconciliationTables>,
  told: readonly Told<T>[],
  kind: Kind<T>,
): Promise<Span<Told<T>>[][]> {
  if (told.length === 0) return [];
  const idOf = ({ shows }: Told<T>): string => shows.id;
  const { inOrder, others } = inTurns(told, idOf, (one) => one.at, await recordedAlready(tx, told, kind));
  const spans = new Map<string, Span<Told<T>>>();
  for (const one of inOrder.flat()) {
    const before = spans.get(one.shows.id);
    const changedAt = before && !kind.isSame(before.last.shows, one.shows) ? one.at.occurredAt : (before?.changedAt ?? null);
    spans.set(one.shows.id, { first: before?.first ?? one, last: one, changedAt });
  }
  const all = [...spans.values()];
  const lists = [all.filter((one) => one.changedAt === null), all.filter((one) => one.changedAt !== null)];
  const alone = rounds(others, idOf).map((round) => round.map((one) => ({ first: one, last: one, changedAt: null })));
  return [...lists, ...alone].filter((list) => list.length > 0);
}

/** Ids of which one of these events is recorded, or a newer one. */
async function recordedAlready<T extends { id: string }>(
  tx: Transaction<ReconciliationTables>,
  told: readonly Told<T>[],
  { table, key }: Kind<T>,
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`
    SELECT DISTINCT told.id FROM unnest(${told.map(({ shows }) => shows.id)}::text[], ${told.map(({ at }) => at.epoch)}::int[],
      ${told.map(({ at }) => at.version)}::bigint[]) AS told(id, epoch, version)
    CROSS JOIN LATERAL (SELECT epoch, version FROM ${sql.table(table)} AS r WHERE r.${sql.id(key)} = told.id OFFSET 0) AS r
    WHERE (r.epoch, r.version) >= (told.epoch, told.version)`.execute(tx);
  return new Set(rows.map((row) => row.id));
}

async function recordRefunds(tx: Transaction<ReconciliationTables>, spans: readonly Span<RefundTold>[]): Promise<void> {
  const each = <T>(value: (one: Span<RefundTold>) => T): T[] => spans.map(value);
  const updatedAt = spans[0]?.changedAt
    ? sql`excluded.updated_at`
    : sql`CASE WHEN (r.status, r.stripe_refund) IS DISTINCT FROM (excluded.status, excluded.stripe_refund) THEN excluded.updated_at ELSE r.updated_at END`;
  await sql`
    INSERT INTO recorded_refunds AS r (refund_id, payment_id, tenant, status, amount, currency, stripe_refund, epoch, version, first_told_at, updated_at)
    SELECT * FROM unnest(${each(({ last }) => last.shows.id)}::text[], ${each(({ first }) => first.shows.payment.payment_id)}::text[],
      ${each(({ first }) => first.at.tenant)}::text[], ${each(({ last }) => last.shows.status)}::text[], ${each(({ last }) => last.shows.amount)}::bigint[],
      ${each(({ first }) => first.shows.payment.currency)}::text[], ${each(({ last }) => last.shows.stripe_refund)}::text[],
      ${each(({ last }) => last.at.epoch)}::int[], ${each(({ last }) => last.at.version)}::bigint[],
      ${each(({ first }) => first.at.occurredAt)}::timestamptz[], ${each(({ first, changedAt }) => changedAt ?? first.at.occurredAt)}::timestamptz[])
    ON CONFLICT (refund_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, stripe_refund = excluded.stripe_refund, epoch = excluded.epoch, version = excluded.version,
      updated_at = ${updatedAt}
    WHERE (excluded.epoch, excluded.version) > (r.epoch, r.version)`.execute(tx);
}

async function recordDisputes(tx: Transaction<ReconciliationTables>, spans: readonly Span<DisputeTold>[]): Promise<void> {
  const each = <T>(value: (one: Span<DisputeTold>) => T): T[] => spans.map(value);
  const updatedAt = spans[0]?.changedAt
    ? sql`excluded.updated_at`
    : sql`CASE WHEN (d.status, d.amount) IS DISTINCT FROM (excluded.status, excluded.amount) THEN excluded.updated_at ELSE d.updated_at END`;
  await sql`
    INSERT INTO recorded_disputes AS d (dispute_id, payment_id, tenant, status, amount, currency, created_at, updated_at, epoch, version)
    SELECT * FROM unnest(${each(({ last }) => last.shows.id)}::text[], ${each(({ first }) => first.shows.payment.payment_id)}::text[],
      ${each(({ first }) => first.at.tenant)}::text[], ${each(({ last }) => last.shows.status)}::text[], ${each(({ last }) => last.shows.amount)}::bigint[],
      ${each(({ last }) => last.shows.currency)}::text[], ${each(({ first }) => first.shows.created_at)}::timestamptz[],
      ${each(({ first, changedAt }) => changedAt ?? first.at.occurredAt)}::timestamptz[], ${each(({ last }) => last.at.epoch)}::int[],
      ${each(({ last }) => last.at.version)}::bigint[])
    ON CONFLICT (dispute_id) DO UPDATE SET
      status = excluded.status, amount = excluded.amount, currency = excluded.currency, epoch = excluded.epoch, version = excluded.version,
      updated_at = ${updatedAt}
    WHERE (excluded.epoch, excluded.version) > (d.epoch, d.version)`.execute(tx);
}

/** Of each object the event that stands highest, the first of several at one place; in the order in which the objects came. */
export function newestOf<T>(told: readonly Told<T>[], idOf: (shows: T) => string): Told<T>[] {
  const newest = new Map<string, Told<T>>();
  for (const one of told) {
    const known = newest.get(idOf(one.shows));
    if (!known || isNewer(one.at, known.at)) newest.set(idOf(one.shows), one);
  }
  return [...newest.values()];
}
