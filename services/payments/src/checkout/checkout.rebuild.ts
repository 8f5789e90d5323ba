import { readAll } from '@tidegate/event-store/read';
import { type Kysely, sql } from 'kysely';
import { withDetails } from '../event-details/event-details.store.js';
import { type PaymentsTables } from '../tables.js';
import { evolve } from './checkout.evolve.js';
import { type Checkout, noCheckout } from './checkout.state.js';
import { rowOf, toOccurred } from './checkout.store.js';

const PAGE = 1000;

/**
 * Fills the table `checkouts` again from the events, in one transaction that writers wait for and readers do not notice. Answers the number of checkouts. The
 * result is equal to what was there, or the table was wrong.
 */
export async function rebuildCheckouts(db: Kysely<PaymentsTables>): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE checkouts IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    const checkouts = new Map<string, { state: Checkout; version: number }>();
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await withDetails(tx, await readAll(tx, after, PAGE));
      for (const event of page.filter(({ stream }) => stream.startsWith('checkout:'))) {
        const known = checkouts.get(event.stream)?.state ?? noCheckout;
        checkouts.set(event.stream, { state: evolve(known, toOccurred(event)), version: event.stream_version });
      }
      after = page.at(-1)?.position;
    }
    await tx.deleteFrom('checkouts').execute();
    for (const { state, version } of checkouts.values()) await tx.insertInto('checkouts').values(rowOf(state, version)).execute();
    return checkouts.size;
  });
}
