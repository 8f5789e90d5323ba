import { readAll, type StoredEvent } from '@tidegate/event-store/read';
import { type Kysely, sql, type Transaction } from 'kysely';
import { invoiceRow } from '../invoice/invoice.kind.js';
import { subscriptionRow } from '../subscription/subscription.kind.js';
import { type PaymentsTables } from '../tables.js';

const PAGE = 1000;

/**
 * Fills the tables `subscriptions` and `invoices` again from the newest event of each stream, in one transaction that writers wait for and readers do not notice; one page of
 * events is in memory. Answers how many rows there are. The result is equal to what was there, or the tables were wrong.
 */
export async function rebuildSubscriptionsAndInvoices(db: Kysely<PaymentsTables>): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    await sql`LOCK TABLE subscriptions, invoices IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    await tx.deleteFrom('subscriptions').execute();
    await tx.deleteFrom('invoices').execute();
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await readAll(tx, after, PAGE);
      await writeNewest(tx, page);
      after = page.at(-1)?.position;
    }
    const { rows } = await sql<{ n: number }>`SELECT (SELECT count(*) FROM subscriptions) + (SELECT count(*) FROM invoices) AS n`.execute(
      tx,
    );
    return rows[0]?.n ?? 0;
  });
}

/** Of each stream its last event in the page, in place of what earlier pages told of it. */
async function writeNewest(tx: Transaction<PaymentsTables>, page: readonly StoredEvent[]): Promise<void> {
  const newest = new Map(page.map((event) => [event.stream, event]));
  const rowsOf = <T>(type: string, row: (data: never, version: number) => T): T[] =>
    [...newest.values()].filter((event) => event.type === type).map(({ data, stream_version }) => row(data as never, stream_version));
  const subscriptions = rowsOf('SubscriptionObserved', subscriptionRow);
  if (subscriptions.length > 0) {
    const ids = subscriptions.map((row) => row.id);
    await tx.deleteFrom('subscriptions').where('id', 'in', ids).execute();
    await tx.insertInto('subscriptions').values(subscriptions).execute();
  }
  const invoices = rowsOf('InvoiceObserved', invoiceRow);
  if (invoices.length > 0) {
    const ids = invoices.map((row) => row.id);
    await tx.deleteFrom('invoices').where('id', 'in', ids).execute();
    await tx.insertInto('invoices').values(invoices).execute();
  }
}
