import { type Kysely, sql, type Transaction } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { impersonal } from './impersonal.decide.js';
import { adopt } from './nameless-events.store.js';

/** Events about a customer who was erased are erased from `now` on. What is kept as `erased_at` is when this service was told: the news may be long on its way. */
export async function remember(tx: Transaction<WebhooksTables>, customer: string, now: Date): Promise<void> {
  const row = { customer, erased_at: now, due_at: now };
  await tx
    .insertInto('erased_customers')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('customer').doUpdateSet({ erased_at: now, due_at: now, wishes: sql<number>`erased_customers.wishes + 1` }),
    )
    .execute();
}

/** Events about these customers are being published: those who were erased have to be looked at again. Locked by name, because others publish, too. */
export async function lookAgain(tx: Transaction<WebhooksTables>, customers: readonly string[], now: Date): Promise<void> {
  if (customers.length === 0) return;
  await sql`
    UPDATE erased_customers e SET due_at = least(e.due_at, ${now}), wishes = e.wishes + 1
    FROM (SELECT customer FROM erased_customers WHERE customer = ANY(${customers}) ORDER BY customer FOR UPDATE) erased
    WHERE e.customer = erased.customer`.execute(tx);
}

export interface Due {
  customer: string;
  toldAt: Date;
  wishes: number;
}

/** The customer that is due next; null when there is none. */
export async function nextDue(db: Kysely<WebhooksTables>, now: Date): Promise<Due | null> {
  const { rows } = await sql<Due>`
    SELECT customer, erased_at AS "toldAt", wishes FROM erased_customers WHERE due_at <= ${now} ORDER BY due_at, customer LIMIT 1`.execute(
    db,
  );
  return rows[0] ?? null;
}

/** Takes what is about a person out of the next events about a customer, by id, at most `limit`; answers the last one, null when there are no more. */
export async function eraseEvents(db: Kysely<WebhooksTables>, customer: string, after: string, limit: number): Promise<string | null> {
  return db.transaction().execute(async (tx) => {
    if (after === '') await adopt(tx, customer);
    const { rows } = await sql<{ created: Date; stripe_event_id: string; payload: Buffer }>`
      SELECT created, stripe_event_id, payload FROM stripe_events
      WHERE customer = ${customer} AND stripe_event_id > ${after} ORDER BY stripe_event_id LIMIT ${limit} FOR UPDATE`.execute(tx);
    const changed = rows.map((row) => ({ ...row, clean: impersonal(row.payload) })).filter(({ payload, clean }) => !payload.equals(clean));
    await sql`
      UPDATE stripe_events e SET payload = clean.payload
      FROM unnest(${changed.map((row) => row.created)}::timestamptz[], ${changed.map((row) => row.stripe_event_id)}::text[],
        ${changed.map((row) => row.clean)}::bytea[]) AS clean(created, stripe_event_id, payload)
      WHERE e.created = clean.created AND e.stripe_event_id = clean.stripe_event_id`.execute(tx);
    return rows.at(-1)?.stripe_event_id ?? null;
  });
}

/** All events about a customer were looked at; again at `next`, or at once for those that were published meanwhile. */
export async function looked(db: Kysely<WebhooksTables>, { customer, wishes }: Due, next: Date | null): Promise<void> {
  await sql`UPDATE erased_customers SET due_at = ${next} WHERE customer = ${customer} AND wishes = ${wishes}`.execute(db);
}
