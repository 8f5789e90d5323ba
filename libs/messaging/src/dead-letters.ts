import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { advanceLanes } from './inbox-batch.js';

export interface DeadLetter {
  consumer: string;
  message_id: string;
  position: number;
  subject: string;
  aggregate: string;
  reason: string | null;
  attempts: number;
  at: Date;
}

/** The dead rows of the schema's live generations, oldest first. */
export async function listDeadLetters(db: Db, limit = 100): Promise<DeadLetter[]> {
  const { rows } = await sql<DeadLetter>`
    SELECT i.consumer, i.message_id, i.position, i.subject, i.aggregate, i.reason, i.failures AS attempts, coalesce(i.first_failed_at, i.stored_at) AS at
    FROM inbox AS i JOIN inbox_generations AS g ON g.consumer = i.consumer AND g.live = i.generation
    WHERE i.state = 'dead' ORDER BY at LIMIT ${limit}`.execute(db);
  return rows;
}

/** Lets a dead row run again from its first attempt, and its aggregate behind it. False when there is no such dead row. Signal the subscriber then. */
export const replayDeadLetter = (db: Db, consumer: string, messageId: string): Promise<boolean> =>
  settle(db, consumer, messageId, sql`state = 'pending', failures = 0, first_failed_at = NULL, reason = NULL, started = finished`);

/** Gives a dead row up for good; its aggregate goes on behind it. False when there is no such dead row. */
export const discardDeadLetter = (db: Db, consumer: string, messageId: string, reason: string): Promise<boolean> =>
  settle(db, consumer, messageId, sql`state = 'discarded', reason = ${reason}, handled_at = clock_timestamp()`);

function settle(db: Db, consumer: string, messageId: string, change: ReturnType<typeof sql>): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ generation: number; aggregate: string }>`
      SELECT i.generation, i.aggregate FROM inbox AS i JOIN inbox_generations AS g ON g.consumer = i.consumer AND g.live = i.generation
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
    return true;
  });
}
