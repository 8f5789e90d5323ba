import { readAll } from '@tidegate/event-store/read';
import { type Kysely, sql, type Transaction } from 'kysely';
import { withDetails } from '../event-details/event-details.store.js';
import { type PaymentsTables } from '../tables.js';
import { evolve } from './payment.evolve.js';
import { noPayment, type Payment, type PaymentState } from './payment.state.js';
import { rowOf, toOccurred } from './payment.store.js';

const PAGE = 1000;

/**
 * Fills the table `payments` again from the events, in one transaction that writers wait for and readers do not notice. Answers the number of payments. The
 * result is equal to what was there, or the table was wrong.
 */
export async function rebuildPayments(db: Kysely<PaymentsTables>): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE payments IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    const payments = await replayAll(tx);
    await tx.deleteFrom('payments').execute();
    for (const { state, version } of payments.values())
      await tx
        .insertInto('payments')
        .values(rowOf(state as Payment, version))
        .execute();
    return payments.size;
  });
}

async function replayAll(tx: Transaction<PaymentsTables>): Promise<Map<string, { state: PaymentState; version: number }>> {
  const payments = new Map<string, { state: PaymentState; version: number }>();
  for (let after = 0; ;) {
    const page = await withDetails(tx, await readAll(tx, after, PAGE));
    for (const event of page) {
      if (!event.stream.startsWith('payment:')) continue;
      const known = payments.get(event.stream)?.state ?? noPayment;
      payments.set(event.stream, { state: evolve(known, toOccurred(event)), version: event.stream_version });
    }
    const last = page.at(-1);
    if (!last) return payments;
    after = last.position;
  }
}
