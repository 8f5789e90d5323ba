import type { Refund } from '@tidegate/stripe-gateway/intent';
import { sql } from 'kysely';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';
import { compareAbsentRefund, compareRefund, type RecordedRefund } from '../refund.decide.js';

const COLUMNS = sql.raw(
  'p.refund_id, p.payment_id, p.tenant, p.status, p.amount, p.currency, p.stripe_refund, p.updated_at, p.first_told_at AS made_at',
);

export const refundKind: ObjectKind<Refund, RecordedRefund> = {
  name: 'refund',
  remote: {
    list: (stripe, query) => stripe.listRefunds(query),
    retrieve: (stripe, id) => stripe.retrieveRefund(id),
    recordedFor: refundsFor,
    compare: compareRefund,
    isOf: (ours, { id }) => ours.stripe_refund === null || ours.stripe_refund === id,
    countsForeign: true,
  },
  local: {
    unseen: unseenRefunds,
    byId: refundById,
    compareAbsent: compareAbsentRefund,
    idOf: (refund) => refund.refund_id,
    stripeIdOf: (refund) => refund.stripe_refund,
  },
};

async function refundsFor(db: CompareDb, refunds: readonly Refund[]): Promise<Map<string, RecordedRefund>> {
  const named = ({ metadata }: Refund) => metadata['refund_id'];
  const { rows } = await sql<RecordedRefund>`
    SELECT ${COLUMNS} FROM recorded_refunds p WHERE stripe_refund = ANY(${refunds.map((one) => one.id)}::text[])
    UNION SELECT ${COLUMNS} FROM recorded_refunds p WHERE refund_id = ANY(${refunds.flatMap((one) => named(one) ?? [])}::text[])`.execute(
    db,
  );
  const byStripe = new Map(rows.map((row) => [row.stripe_refund, row]));
  const byId = new Map(rows.map((row) => [row.refund_id, row]));
  return matched(refunds, (one) => byStripe.get(one.id) ?? byId.get(named(one) ?? ''));
}

async function refundById(db: CompareDb, refundId: string): Promise<RecordedRefund | null> {
  const { rows } = await sql<RecordedRefund>`SELECT ${COLUMNS} FROM recorded_refunds p WHERE refund_id = ${refundId}`.execute(db);
  return rows[0] ?? null;
}

async function unseenRefunds(db: CompareDb, query: UnseenQuery): Promise<RecordedRefund[]> {
  const { rows } = await sql<RecordedRefund>`
    SELECT ${COLUMNS} FROM recorded_refunds p WHERE ${ofPeriod(query, { object: 'refund', id: 'refund_id', at: 'first_told_at' })}
    ORDER BY refund_id LIMIT ${query.limit}`.execute(db);
  return rows;
}
