import type { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import type { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Logger } from '@tidegate/telemetry/logger';
import { sql, type Transaction } from 'kysely';
import type { CompareDb } from '../compare/kind.js';
import { believeInvoice, believeSubscription } from './believe-billing.js';
import { recordCheckout, recordPayment, type SnapshotPosition } from '../projection/recorded.store.js';
import type { ReconciliationTables } from '../tables.js';
import type { Told } from './repair.port.js';

type Tx = Transaction<ReconciliationTables>;

/**
 * Puts right what stands here of an object when its owner says otherwise although we have handled everything that it has published of it: then the error is
 * ours, and no further event would heal it. What is newer than the answer stays.
 */
export async function believe(db: CompareDb, told: Told, logger: Logger): Promise<void> {
  const healed = await db.transaction().execute(async (tx) => {
    const at = await positionOf(tx, told);
    if (at === null) return false;
    return believeTold(tx, told, at);
  });
  if (healed) {
    const id = idOf(told);
    logger.warn({ event: 'projection_healed', object: told.object, id }, 'What was recorded here was not what its owner has published');
  }
}

function idOf(told: Told): string {
  switch (told.object) {
    case 'payment':
      return told.snapshot.payment_id;
    case 'checkout':
      return told.snapshot.checkout_id;
    case 'subscription':
      return told.snapshot.subscription_id;
    case 'invoice':
      return told.snapshot.invoice_id;
    default:
      return told satisfies never;
  }
}

function believeTold(tx: Tx, told: Told, at: SnapshotPosition): Promise<boolean> {
  switch (told.object) {
    case 'payment':
      return believePayment(tx, told.snapshot, at);
    case 'checkout':
      return believeCheckout(tx, told.snapshot, at);
    case 'subscription':
      return believeSubscription(tx, told.snapshot, at);
    case 'invoice':
      return believeInvoice(tx, told.snapshot, at);
    default:
      return told satisfies never;
  }
}

/** In the history that the live consumer reads; null before its first message. */
async function positionOf(tx: Tx, told: Told): Promise<SnapshotPosition | null> {
  const { rows } = await sql<{ epoch: number }>`
    SELECT w.epoch::int AS epoch FROM inbox_generations g JOIN inbox_watermarks w ON w.consumer = g.consumer AND w.generation = g.live
    WHERE g.consumer = 'reconciliation-payments'`.execute(tx);
  if (!rows[0]) return null;
  return { tenant: told.tenant, epoch: rows[0].epoch, version: told.version, occurredAt: new Date(told.snapshot.updated_at) };
}

async function believePayment(tx: Tx, payment: PaymentSnapshot, at: SnapshotPosition): Promise<boolean> {
  const { rows } = await sql<{ newer: boolean; told: string }>`
    SELECT (p.epoch, p.version) > (${at.epoch}::int, ${at.version}::bigint) AS newer, jsonb_build_array(p.status, p.amount, p.amount_captured, p.currency, p.stripe_payment_intent,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(r.refund_id, r.status, r.amount, r.stripe_refund) ORDER BY r.refund_id COLLATE "C"), '[]') FROM recorded_refunds r WHERE r.payment_id = p.payment_id),
      (SELECT coalesce(jsonb_agg(jsonb_build_array(d.dispute_id, d.status, d.amount) ORDER BY d.dispute_id COLLATE "C"), '[]') FROM recorded_disputes d WHERE d.payment_id = p.payment_id))::text AS told
    FROM recorded_payments p WHERE p.payment_id = ${payment.payment_id} FOR UPDATE`.execute(tx);
  const [row] = rows;
  if (row && (row.newer || JSON.stringify(JSON.parse(row.told)) === JSON.stringify(wordsOf(payment)))) return false;
  for (const table of ['recorded_refunds', 'recorded_disputes', 'recorded_payments'] as const)
    await tx.deleteFrom(table).where('payment_id', '=', payment.payment_id).execute();
  await recordPayment(tx, payment, at);
  return true;
}

const wordsOf = ({ status, amount, amount_captured, currency, stripe_payment_intent, refunds, disputes }: PaymentSnapshot) => [
  status,
  amount,
  amount_captured,
  currency,
  stripe_payment_intent,
  inOrder(refunds).map((one) => [one.id, one.status, one.amount, one.stripe_refund]),
  inOrder(disputes).map((one) => [one.id, one.status, one.amount]),
];

const inOrder = <T extends { id: string }>(all: readonly T[]): T[] => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));

async function believeCheckout(tx: Tx, checkout: CheckoutSnapshot, at: SnapshotPosition): Promise<boolean> {
  const row = await tx
    .selectFrom('recorded_checkouts')
    .selectAll()
    .where('checkout_id', '=', checkout.checkout_id)
    .forUpdate()
    .executeTakeFirst();
  const { status, payment_status, payment_id, amount, currency, stripe_checkout_session } = checkout;
  const words = { status, payment_status, payment_id, amount, currency, stripe_checkout_session };
  const newer = row && (row.epoch > at.epoch || (row.epoch === at.epoch && row.version > at.version));
  if (row && (newer || Object.entries(words).every(([name, value]) => row[name as keyof typeof words] === value))) return false;
  await tx.deleteFrom('recorded_checkouts').where('checkout_id', '=', checkout.checkout_id).execute();
  await recordCheckout(tx, checkout, at);
  return true;
}
