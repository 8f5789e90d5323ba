import { sql } from 'kysely';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { ofPeriod } from '../matched.js';
import type { RecordedPayment } from '../payment.decide.js';
import { compareAbsentReceipt } from '../receipt.decide.js';
import { PAYMENT_COLUMNS } from './payment.kind.js';

const WITHOUT_RECEIPT = sql.raw(`p.status = 'succeeded' AND p.amount_captured > 0
  AND NOT EXISTS (SELECT 1 FROM recorded_receipts r WHERE r.payment_id = p.payment_id AND r.kind = 'receipt')`);

/** Payments that succeeded without a receipt. Stripe has no part in it: both sides are ours. */
export const receiptKind: ObjectKind<never, RecordedPayment> = {
  name: 'receipt',
  local: {
    unseen: withoutReceipt,
    byId: stillWithout,
    compareAbsent: compareAbsentReceipt,
    idOf: (payment) => payment.payment_id,
    stripeIdOf: () => null,
  },
};

async function withoutReceipt(db: CompareDb, query: UnseenQuery): Promise<RecordedPayment[]> {
  const { rows } = await sql<RecordedPayment>`
    SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p
    WHERE ${WITHOUT_RECEIPT} AND ${ofPeriod(query, { object: 'receipt', id: 'payment_id', at: 'created_at' })}
    ORDER BY payment_id LIMIT ${query.limit}`.execute(db);
  return rows;
}

async function stillWithout(db: CompareDb, paymentId: string): Promise<RecordedPayment | null> {
  const { rows } = await sql<RecordedPayment>`
    SELECT ${PAYMENT_COLUMNS} FROM recorded_payments p WHERE payment_id = ${paymentId} AND ${WITHOUT_RECEIPT}`.execute(db);
  return rows[0] ?? null;
}
