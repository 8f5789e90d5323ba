import { type Db } from '@tidegate/database/database';
import { type RawBuilder, sql } from 'kysely';
import { advanceLanes } from './inbox-lanes.js';

export interface DeadLetter {
  consumer: string;
  message_id: string;
  position: number;
  subject: string;
  aggregate: string;
  reason: string | null;
  attempts: number;
  /** When it failed first. */
  at: Date;
}

export interface DeadLetterQuery {
  consumer?: string | undefined;
  among?: readonly { consumer: string; messageId: string }[] | undefined;
  /** A part of the reason. */
  reason?: string | undefined;
  /** After this one, in the order of the list. */
  after?: { at: Date; consumer: string; messageId: string } | undefined;
  limit?: number;
}

const LIVE = sql`inbox AS i JOIN inbox_generations AS g ON g.consumer = i.consumer AND g.live = i.generation`;
const AT = sql`date_trunc('milliseconds', coalesce(i.first_failed_at, i.stored_at))`;
const ROW = sql`i.consumer, i.message_id, i.position, i.subject, i.aggregate, i.reason, i.failures AS attempts, ${AT} AS at`;

function matching(query: DeadLetterQuery): RawBuilder<unknown> {
  const conditions = [sql`i.state = 'dead'`];
  if (query.consumer !== undefined) conditions.push(sql`i.consumer = ${query.consumer}`);
  if (query.among) {
    const [consumers, ids] = [query.among.map((one) => one.consumer), query.among.map((one) => one.messageId)];
    conditions.push(sql`(i.consumer, i.message_id) IN (SELECT * FROM unnest(${consumers}::text[], ${ids}::uuid[]))`);
  }
  if (query.reason !== undefined) conditions.push(sql`position(lower(${query.reason}) IN lower(coalesce(i.reason, ''))) > 0`);
  if (query.after) {
    const { at, consumer, messageId } = query.after;
    conditions.push(sql`(${AT}, i.consumer COLLATE "C", i.message_id::text COLLATE "C") > (${at}, ${consumer}, ${messageId})`);
  }
  return sql.join(conditions, sql` AND `);
}

/** The dead rows of the schema's live generations, oldest first; ties by consumer and message id. */
export async function listDeadLetters(db: Db, query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
  const { rows } = await sql<DeadLetter>`
    SELECT ${ROW} FROM ${LIVE} WHERE ${matching(query)}
    ORDER BY ${AT}, i.consumer COLLATE "C", i.message_id::text COLLATE "C" LIMIT ${query.limit ?? 100}`.execute(db);
  return rows;
}

export async function countDeadLetters(db: Db, query: DeadLetterQuery = {}): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*)::int AS count FROM ${LIVE} WHERE ${matching(query)}`.execute(db);
  return rows[0]?.count ?? 0;
}

export interface DeadLetterDetail extends DeadLetter {
  bytes: Buffer;
  /** Messages of the same aggregate that wait behind it, in order. */
  behind: { count: number; first: { message_id: string; subject: string; stored_at: Date }[] };
}

const BEHIND_SHOWN = 20;

/** One dead row with its message and what it holds up, or null. */
export async function getDeadLetter(db: Db, consumer: string, messageId: string): Promise<DeadLetterDetail | null> {
  const { rows } = await sql<DeadLetter & { bytes: Buffer }>`
    SELECT ${ROW}, i.bytes FROM ${LIVE} WHERE i.consumer = ${consumer} AND i.message_id = ${messageId}::uuid AND i.state = 'dead'`.execute(
    db,
  );
  const [row] = rows;
  if (!row) return null;
  const behind = await sql<{ message_id: string; subject: string; stored_at: Date; count: number }>`
    SELECT i.message_id, i.subject, i.stored_at, count(*) OVER ()::int AS count FROM ${LIVE}
    WHERE i.consumer = ${consumer} AND i.aggregate = ${row.aggregate} AND i.state IN ('pending', 'dead') AND i.position > ${row.position}
    ORDER BY i.position LIMIT ${BEHIND_SHOWN}`.execute(db);
  return { ...row, behind: { count: behind.rows[0]?.count ?? 0, first: behind.rows.map(({ count: _count, ...one }) => one) } };
}

/** Runs in the transaction of a change, before its commit: to write down who wanted it. */
export type Along = (tx: Db) => Promise<void>;

/** Lets a dead row run again from its first attempt, and its aggregate behind it. False when there is no such dead row. Signal the subscriber then. */
export const replayDeadLetter = (db: Db, consumer: string, messageId: string, along?: Along): Promise<boolean> =>
  settle(
    db,
    { consumer, messageId },
    sql`state = 'pending', failures = 0, first_failed_at = NULL, reason = NULL, started = finished`,
    along,
  );

/** Gives a dead row up for good; its aggregate goes on behind it. False when there is no such dead row. */
export const discardDeadLetter = (db: Db, consumer: string, messageId: string, reason: string, along?: Along): Promise<boolean> =>
  settle(db, { consumer, messageId }, sql`state = 'discarded', reason = ${reason}, handled_at = clock_timestamp()`, along);

/**
 * The row of the consumer's generation is written first, and not only locked: a swap that comes later waits for it, and one that has looked at the letters already fails
 * and begins anew, or it would put back what it saw. Handlers, whose lock keeps out swaps alone, need not wait.
 */
function settle(
  db: Db,
  { consumer, messageId }: { consumer: string; messageId: string },
  change: RawBuilder<unknown>,
  along: Along = async () => undefined,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    await sql`UPDATE inbox_generations SET live = live WHERE consumer = ${consumer}`.execute(tx);
    const { rows } = await sql<{ generation: number; aggregate: string }>`
      SELECT i.generation, i.aggregate FROM ${LIVE}
      WHERE i.consumer = ${consumer} AND i.message_id = ${messageId}::uuid AND i.state = 'dead'`.execute(tx);
    const row = rows[0];
    if (!row) return false;
    const key = { consumer, generation: row.generation };
    await sql`
      SELECT 1 FROM inbox_lanes WHERE consumer = ${consumer} AND generation = ${row.generation} AND aggregate = ${row.aggregate} FOR UPDATE`.execute(
      tx,
    );
    const changed = await sql`
      UPDATE inbox SET ${change}
      WHERE consumer = ${consumer} AND generation = ${row.generation} AND message_id = ${messageId}::uuid AND state = 'dead'`.execute(tx);
    if ((changed.numAffectedRows ?? 0n) === 0n) return false;
    await advanceLanes(tx, key, [row.aggregate]);
    await along(tx);
    return true;
  });
}
