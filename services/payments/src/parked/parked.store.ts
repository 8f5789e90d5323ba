import { type Incoming } from '@tidegate/messaging/incoming';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';

type Tx = Transaction<PaymentsTables>;

/** Keeps a message until its parent is here. */
export async function park(tx: Tx, message: Incoming, parent: string, now: Date): Promise<void> {
  await tx
    .insertInto('parked_news')
    .values({ message_id: message.messageId, parent, message: JSON.stringify(message), parked_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Messages whose parent is here by now, and those that have waited since before `givenUp`; oldest first. */
export async function settleable(
  db: Kysely<PaymentsTables>,
  { limit, givenUp, without }: { limit: number; givenUp: Date; without: readonly string[] },
): Promise<string[]> {
  const { rows } = await sql<{ message_id: string }>`
    SELECT message_id FROM parked_news p
    WHERE (parked_at <= ${givenUp} OR EXISTS (SELECT 1 FROM checkouts c WHERE c.id = p.parent)) AND message_id <> ALL(${without}::text[])
    ORDER BY parked_at, message_id LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.message_id);
}

/** Takes a message out; null when another replica has it in hand or was faster. */
export async function take(tx: Tx, messageId: string): Promise<{ message: Incoming; parkedAt: Date } | null> {
  const { rows } = await sql<{ message: Incoming; parked_at: Date }>`
    DELETE FROM parked_news WHERE message_id = (
      SELECT message_id FROM parked_news WHERE message_id = ${messageId} FOR UPDATE SKIP LOCKED
    ) RETURNING message, parked_at`.execute(tx);
  const [row] = rows;
  return row ? { message: row.message, parkedAt: row.parked_at } : null;
}

export async function parkedCount(db: Kysely<PaymentsTables>): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*)::int AS count FROM parked_news`.execute(db);
  return rows[0]?.count ?? 0;
}
