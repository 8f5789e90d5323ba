import { type Kysely, sql } from 'kysely';
import { type Command } from '../subscription/command.decide.js';
import { type PaymentsTables } from '../tables.js';
import { type WaitsFor } from '../work/work.store.js';

type Db = Kysely<PaymentsTables>;

/** A command without a certain outcome, and what it waits for. */
export interface OpenCommand {
  id: string;
  command_id: string;
  tenant: string;
  kind: Command['kind'];
  subscription: string | null;
  customer: string | null;
  step: Command['step'];
  call_answer: Command['call_answer'];
  created_at: Date;
  waits_for: Exclude<WaitsFor, 'window'> | null;
  attempt: number | null;
  due_at: Date | null;
  in_hand: boolean;
}

export interface OpenQuery {
  kind?: string | undefined;
  tenant?: string | undefined;
  /** Accepted then or before. */
  createdAtMost?: Date | undefined;
  after?: { created_at: Date; id: string } | undefined;
  limit: number;
}

/** Those that are open, the oldest first. */
export async function listOpen(db: Db, query: OpenQuery): Promise<OpenCommand[]> {
  const conditions = [sql`c.state = 'open'`];
  if (query.kind !== undefined) conditions.push(sql`c.kind = ${query.kind}`);
  if (query.tenant !== undefined) conditions.push(sql`c.tenant = ${query.tenant}`);
  if (query.createdAtMost) conditions.push(sql`c.created_at <= ${query.createdAtMost}`);
  if (query.after) conditions.push(sql`(c.created_at, c.id) > (${query.after.created_at}, ${query.after.id})`);
  const { rows } = await sql<OpenCommand>`
    SELECT c.id, c.command_id, c.tenant, c.kind, c.subscription, c.request->>'customer' AS customer, c.step, c.call_answer, c.created_at,
      w.waits_for, w.attempt, greatest(w.due_at, w.not_before) AS due_at, (w.holder IS NOT NULL AND w.lease_until >= clock_timestamp()) IS TRUE AS in_hand
    FROM subscription_commands c LEFT JOIN payment_work w ON w.payment_id = c.id
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY c.created_at, c.id LIMIT ${query.limit}`.execute(db);
  return rows;
}

/** How many of each kind are open, and since when the first of them is. */
export async function openCommands(db: Db): Promise<Map<Command['kind'], { count: number; oldest: Date }>> {
  const { rows } = await sql<{ kind: Command['kind']; count: number; oldest: Date }>`
    SELECT kind, count(*)::int AS count, min(created_at) AS oldest FROM subscription_commands WHERE state = 'open' GROUP BY kind`.execute(
    db,
  );
  return new Map(rows.map(({ kind, ...rest }) => [kind, rest]));
}
