import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Sought } from './intent-finder.js';

/** Lists are searched from a little before the first call, for clocks that differ, to well after the last one had ended. Seconds. */
const EARLIER = 300;
const LATER = 900;

/** Payments that are due within this are looked for by the same scan. Milliseconds. */
const SOON_MS = 60_000;
const MOST = 10_000;

/** The payment's last event is younger than its last call: each call that ends without an answer is one, and so is what takes over a call of a process that died. */
export function soughtAs(paymentId: string, createdAt: Date, lastEventAt: Date): Sought {
  const seconds = (time: Date) => Math.floor(time.getTime() / 1000);
  return { paymentId, from: seconds(createdAt) - EARLIER, to: seconds(lastEventAt) + LATER, calledBefore: lastEventAt };
}

/** Payments without a certain answer and without an intent that are due now or soon, those that waited longest first. */
export async function soughtSoon(db: Kysely<PaymentsTables>, now: Date): Promise<Sought[]> {
  const { rows } = await sql<{ id: string; created_at: Date; updated_at: Date }>`
    SELECT p.id, p.created_at, p.updated_at FROM payments p JOIN payment_work w ON w.payment_id = p.id
    WHERE p.status = 'unknown' AND p.stripe_payment_intent IS NULL AND w.kind = 'pay' AND w.due_at <= ${new Date(now.getTime() + SOON_MS)}
    ORDER BY w.due_at, w.since LIMIT ${MOST}`.execute(db);
  return rows.map((row) => soughtAs(row.id, row.created_at, row.updated_at));
}
