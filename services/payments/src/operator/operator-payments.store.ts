import { type PaymentStatus } from '@tidegate/contracts/payment';
import { type Kysely, type Selectable, sql } from 'kysely';
import { type PaymentsTable, type PaymentsTables } from '../tables.js';

export type OperatorRow = Selectable<PaymentsTable> & {
  due_at: Date | null;
  waits_for: string | null;
  attempt: number | null;
  in_hand: boolean | null;
  has_work: boolean;
};

export interface OperatorQuery {
  id?: string;
  status?: string | undefined;
  tenant?: string | undefined;
  /** In its status since then or longer. */
  sinceAtMost?: Date | undefined;
  withoutIntent?: boolean;
  newest?: boolean;
  after?: { since: Date; id: string } | undefined;
  limit: number;
}

/** Payments of all tenants with what is still to be done for them, by the time they came into their status: longest ago first, or newest first. */
export async function operatorPayments(db: Kysely<PaymentsTables>, query: OperatorQuery): Promise<OperatorRow[]> {
  const conditions = [sql`true`];
  if (query.id !== undefined) conditions.push(sql`p.id = ${query.id}`);
  if (query.status !== undefined) conditions.push(sql`p.status = ${query.status}`);
  if (query.tenant !== undefined) conditions.push(sql`p.tenant = ${query.tenant}`);
  if (query.sinceAtMost) conditions.push(sql`p.status_since <= ${query.sinceAtMost}`);
  if (query.withoutIntent) conditions.push(sql`p.stripe_payment_intent IS NULL`);
  const { after } = query;
  if (after && query.newest) conditions.push(sql`(p.status_since, p.id) < (${after.since}, ${after.id})`);
  if (after && !query.newest) conditions.push(sql`(p.status_since, p.id) > (${after.since}, ${after.id})`);
  const order = query.newest ? sql`p.status_since DESC, p.id DESC` : sql`p.status_since, p.id`;
  const { rows } = await sql<OperatorRow>`
    SELECT p.*, w.due_at, w.waits_for, w.attempt, w.payment_id IS NOT NULL AS has_work,
      (w.holder IS NOT NULL AND w.lease_until >= clock_timestamp()) AS in_hand
    FROM payments p LEFT JOIN payment_work w ON w.payment_id = p.id
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${order} LIMIT ${query.limit}`.execute(db);
  return rows;
}

export interface HourlyCount {
  hour: Date;
  status: PaymentStatus;
  count: number;
}

/** Payments by the UTC hour of their creation and the status they have now, newest hour first. */
export async function hourlyCounts(db: Kysely<PaymentsTables>, since: Date, tenant: string | undefined): Promise<HourlyCount[]> {
  const ofTenant = tenant === undefined ? sql`true` : sql`tenant = ${tenant}`;
  const { rows } = await sql<HourlyCount>`
    SELECT date_trunc('hour', created_at, 'UTC') AS hour, status, count(*)::int AS count
    FROM payments WHERE created_at >= ${since} AND ${ofTenant}
    GROUP BY 1, 2 ORDER BY 1 DESC, 2`.execute(db);
  return rows;
}
