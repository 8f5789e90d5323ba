import { type PaymentStatus } from '@tidegate/contracts/payment';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { isOfRestored, type WaitsFor } from '../work/work.store.js';

/** A payment that waits: a run has left it, or its holder is gone. What a request is busy with for the first time is not among them. */
export interface WaitingRow {
  payment_id: string;
  tenant: string;
  status: PaymentStatus;
  waits_for: Exclude<WaitsFor, 'window'> | null;
  attempt: number;
  since: Date;
  due_at: Date;
  in_hand: boolean;
  unsent: boolean;
}

export interface WaitingQuery {
  status?: string | undefined;
  /** Waiting since then or longer. */
  sinceAtMost?: Date | undefined;
  after?: { since: Date; paymentId: string } | undefined;
  limit: number;
}

const IN_HAND = sql`(w.holder IS NOT NULL AND w.lease_until >= clock_timestamp())`;
const WAITS = sql`w.due_at IS NOT NULL AND (w.waits_for IS NOT NULL OR NOT ${IN_HAND})`;
/** Never sent: the projection of a queued payment whose first call was not committed to. After a restore not even that is certain. */
const UNSENT = sql`(p.status = 'queued' AND NOT ${isOfRestored('w')})`;

/** Those that wait, longest first. */
export async function listWaiting(db: Kysely<PaymentsTables>, query: WaitingQuery): Promise<WaitingRow[]> {
  const conditions = [WAITS];
  if (query.status !== undefined) conditions.push(sql`p.status = ${query.status}`);
  if (query.sinceAtMost) conditions.push(sql`w.since <= ${query.sinceAtMost}`);
  if (query.after) conditions.push(sql`(w.since, w.payment_id) > (${query.after.since}, ${query.after.paymentId})`);
  const { rows } = await sql<WaitingRow>`
    SELECT w.payment_id, p.tenant, p.status, w.waits_for, w.attempt, w.since,
      greatest(w.due_at, w.not_before) AS due_at, ${IN_HAND} AS in_hand, ${UNSENT} AS unsent
    FROM payment_work w JOIN payments p ON p.id = w.payment_id
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY w.since, w.payment_id LIMIT ${query.limit}`.execute(db);
  return rows;
}

/** How many wait, and how long the first of them has. */
export async function backlog(db: Kysely<PaymentsTables>): Promise<{ depth: number; oldest: Date | null }> {
  const { rows } = await sql<{ depth: number; oldest: Date | null }>`
    SELECT count(*)::int AS depth, min(w.since) AS oldest FROM payment_work w WHERE w.kind = 'pay' AND ${WAITS}`.execute(db);
  return rows[0] ?? { depth: 0, oldest: null };
}

export interface Aged {
  unsent: number;
  submitted: number;
}

/** Of those that have waited since then or longer: how many were never sent, and how many may have been. */
export async function countAged(db: Kysely<PaymentsTables>, sinceAtMost: Date): Promise<Aged> {
  const { rows } = await sql<Aged>`
    SELECT count(*) FILTER (WHERE ${UNSENT})::int AS unsent, count(*) FILTER (WHERE NOT ${UNSENT})::int AS submitted
    FROM payment_work w JOIN payments p ON p.id = w.payment_id WHERE ${WAITS} AND w.since <= ${sinceAtMost}`.execute(db);
  return rows[0] ?? { unsent: 0, submitted: 0 };
}

/** Ids of the aged ones of one kind, longest first. */
export async function agedIds(db: Kysely<PaymentsTables>, kind: keyof Aged, sinceAtMost: Date, limit: number): Promise<string[]> {
  const { rows } = await sql<{ payment_id: string }>`
    SELECT w.payment_id FROM payment_work w JOIN payments p ON p.id = w.payment_id
    WHERE ${WAITS} AND w.since <= ${sinceAtMost} AND ${kind === 'unsent' ? UNSENT : sql`NOT ${UNSENT}`}
    ORDER BY w.since, w.payment_id LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.payment_id);
}
