import type { Dispute } from '@tidegate/stripe-gateway/intent';
import { sql } from 'kysely';
import { compareAbsentDispute, compareDispute, type RecordedDispute } from '../dispute.decide.js';
import type { CompareDb, ObjectKind, UnseenQuery } from '../kind.js';
import { matched, ofPeriod } from '../matched.js';

const COLUMNS = sql.raw('p.dispute_id, p.payment_id, p.tenant, p.status, p.amount, p.currency, p.updated_at, p.created_at AS made_at');

export const disputeKind: ObjectKind<Dispute, RecordedDispute> = {
  name: 'dispute',
  remote: {
    list: (stripe, query) => stripe.listDisputes(query),
    retrieve: (stripe, id) => stripe.retrieveDispute(id),
    recordedFor: disputesFor,
    compare: compareDispute,
    isOf: (ours, { id }) => ours.dispute_id === id,
    countsForeign: true,
  },
  local: {
    unseen: unseenDisputes,
    byId: async (db, id) => (await disputesOf(db, [id]))[0] ?? null,
    compareAbsent: compareAbsentDispute,
    idOf: (dispute) => dispute.dispute_id,
    stripeIdOf: (dispute) => dispute.dispute_id,
  },
};

async function disputesOf(db: CompareDb, ids: readonly string[]): Promise<RecordedDispute[]> {
  const { rows } = await sql<RecordedDispute>`SELECT ${COLUMNS} FROM recorded_disputes p WHERE dispute_id = ANY(${ids}::text[])`.execute(
    db,
  );
  return rows;
}

async function disputesFor(db: CompareDb, disputes: readonly Dispute[]): Promise<Map<string, RecordedDispute>> {
  const byId = new Map(
    (
      await disputesOf(
        db,
        disputes.map((one) => one.id),
      )
    ).map((row) => [row.dispute_id, row]),
  );
  return matched(disputes, ({ id }) => byId.get(id));
}

async function unseenDisputes(db: CompareDb, query: UnseenQuery): Promise<RecordedDispute[]> {
  const { rows } = await sql<RecordedDispute>`
    SELECT ${COLUMNS} FROM recorded_disputes p WHERE ${ofPeriod(query, { object: 'dispute', id: 'dispute_id', at: 'created_at' })}
    ORDER BY dispute_id LIMIT ${query.limit}`.execute(db);
  return rows;
}
