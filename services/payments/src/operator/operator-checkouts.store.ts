import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely';
import { type CheckoutsTable, type PaymentsTables } from '../tables.js';

export type OperatorCheckoutRow = Selectable<CheckoutsTable> & {
  due_at: Date | null;
  waits_for: string | null;
  attempt: number | null;
  in_hand: boolean | null;
  has_work: boolean;
};

export interface OperatorCheckoutQuery {
  id?: string;
  status?: string | undefined;
  paymentStatus?: string | undefined;
  lateSuccess?: string | undefined;
  tenant?: string | undefined;
  /** Open, although the window ended before this. */
  overdueAt?: Date | undefined;
  after?: { created_at: Date; id: string } | undefined;
  limit: number;
}

/** Checkouts of all tenants with what is still to be done for them, newest first. */
export async function operatorCheckouts(db: Kysely<PaymentsTables>, query: OperatorCheckoutQuery): Promise<OperatorCheckoutRow[]> {
  return (await checkoutsOfAll(query).execute(db)).rows;
}

/** The statement by itself, for whoever wants to know how it is carried out. */
export function checkoutsOfAll(query: OperatorCheckoutQuery): RawBuilder<OperatorCheckoutRow> {
  const conditions = [sql`true`];
  if (query.id !== undefined) conditions.push(sql`c.id = ${query.id}`);
  if (query.status !== undefined) conditions.push(sql`c.status = ${query.status}`);
  if (query.paymentStatus !== undefined) conditions.push(sql`c.payment_status = ${query.paymentStatus}`);
  if (query.lateSuccess !== undefined) conditions.push(sql`c.late_success = ${query.lateSuccess}`);
  if (query.tenant !== undefined) conditions.push(sql`c.tenant = ${query.tenant}`);
  if (query.overdueAt) conditions.push(sql`c.status = 'open' AND c.window_ends_at <= ${query.overdueAt}`);
  if (query.after) conditions.push(sql`(c.created_at, c.id) < (${query.after.created_at}, ${query.after.id})`);
  return sql<OperatorCheckoutRow>`
    SELECT c.*, w.due_at, w.waits_for, w.attempt, w.payment_id IS NOT NULL AS has_work,
      (w.holder IS NOT NULL AND w.lease_until >= clock_timestamp()) AS in_hand
    FROM checkouts c LEFT JOIN payment_work w ON w.payment_id = c.id
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY c.created_at DESC, c.id DESC LIMIT ${query.limit}`;
}
