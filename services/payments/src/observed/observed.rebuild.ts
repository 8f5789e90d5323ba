import { readAll } from '@tidegate/event-store/read';
import { type Kysely, sql } from 'kysely';
import { invoiceRow } from '../invoice/invoice.kind.js';
import { subscriptionRow } from '../subscription/subscription.kind.js';
import { type PaymentsTables } from '../tables.js';

const PAGE = 1000;

/**
 * Fills the tables `subscriptions` and `invoices` again from the newest event of each stream, in one transaction that writers wait for and readers do not notice.
 * Answers how many rows there are. The result is equal to what was there, or the tables were wrong.
 */
export async function rebuildSubscriptionsAndInvoices(db: Kysely<PaymentsTables>): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE subscriptions, invoices IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    const subscriptions = new Map<string, ReturnType<typeof subscriptionRow>>();
    const invoices = new Map<string, ReturnType<typeof invoiceRow>>();
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await readAll(tx, after, PAGE);
      for (const { stream, type, data, stream_version } of page) {
        if (type === 'SubscriptionObserved') subscriptions.set(stream, subscriptionRow(data as never, stream_version));
        if (type === 'InvoiceObserved') invoices.set(stream, invoiceRow(data as never, stream_version));
      }
      after = page.at(-1)?.position;
    }
    await tx.deleteFrom('subscriptions').execute();
    await tx.deleteFrom('invoices').execute();
    for (const row of subscriptions.values()) await tx.insertInto('subscriptions').values(row).execute();
    for (const row of invoices.values()) await tx.insertInto('invoices').values(row).execute();
    return subscriptions.size + invoices.size;
  });
}
