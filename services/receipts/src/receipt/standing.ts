import type { DisputeStatus, PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Kysely } from 'kysely';
import { type DisputeShown, type PaymentStanding, untouched } from '../document/payment-standing.js';
import type { Tables } from '../tables.js';

/** How a dispute of each status is told; null for what needs no telling: an inquiry that was closed, a dispute that was prevented. */
const SHOWN: Readonly<Record<DisputeStatus, DisputeShown | null>> = {
  warning_needs_response: 'open',
  warning_under_review: 'open',
  warning_closed: null,
  needs_response: 'open',
  under_review: 'open',
  appeal_needs_response: 'open',
  appeal_under_review: 'open',
  prevented: null,
  won: 'won',
  lost: 'lost',
};
const HEAVIEST: readonly DisputeShown[] = ['open', 'lost', 'won'];

/** What a document shows of a payment: refunds that succeeded, and of several disputes the one that weighs most. */
export function standingOf({ refunds, disputes }: Pick<PaymentSnapshot, 'refunds' | 'disputes'>): PaymentStanding {
  const refunded = refunds.filter((one) => one.status === 'succeeded').reduce((sum, one) => sum + one.amount, 0);
  const shown = new Set(disputes.map((one) => SHOWN[one.status]));
  return { refunded, dispute: HEAVIEST.find((one) => shown.has(one)) ?? null };
}

/** Keeps it, unless a later event of the payment was here before: whatever order events come in, the same is kept. */
export async function keepStanding(tx: Kysely<Tables>, payment: PaymentSnapshot, version: number): Promise<void> {
  const row = { version, ...standingOf(payment) };
  if (row.refunded === 0 && row.dispute === null && payment.refunds.length === 0 && payment.disputes.length === 0) return;
  await tx
    .insertInto('standings')
    .values({ payment_id: payment.payment_id, ...row })
    .onConflict((conflict) => conflict.column('payment_id').doUpdateSet(row).where('standings.version', '<', version))
    .execute();
}

export async function findStanding(db: Kysely<Tables>, paymentId: string): Promise<PaymentStanding> {
  const found = await db.selectFrom('standings').select(['refunded', 'dispute']).where('payment_id', '=', paymentId).executeTakeFirst();
  return found ?? untouched;
}
