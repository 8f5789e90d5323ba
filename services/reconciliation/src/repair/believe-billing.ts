import type { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import type { SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import { recordInvoice, recordSubscription } from '../projection/recorded-billing.store.js';
import type { SnapshotPosition } from '../projection/recorded.store.js';
import type { ReconciliationTables } from '../tables.js';

type Tx = Transaction<ReconciliationTables>;

/** Makes the row of a subscription what payments says of it, unless it is newer or says so already; answers whether it did. */
export const believeSubscription = (tx: Tx, subscription: SubscriptionSnapshot, at: SnapshotPosition): Promise<boolean> =>
  remake(tx, sql`recorded_subscriptions WHERE subscription_id = ${subscription.subscription_id}`, at, () =>
    recordSubscription(tx, subscription, at),
  );

/** The same of an invoice. */
export const believeInvoice = (tx: Tx, invoice: InvoiceSnapshot, at: SnapshotPosition): Promise<boolean> =>
  remake(tx, sql`recorded_invoices WHERE invoice_id = ${invoice.invoice_id}`, at, () => recordInvoice(tx, invoice, at));

/** What is newer than the answer stays. A row that comes out as it was, but for where it stands, was right. */
async function remake(tx: Tx, where: RawBuilder<unknown>, at: SnapshotPosition, record: () => Promise<void>): Promise<boolean> {
  const read = async () => {
    const { rows } = await sql<{ epoch: number; version: number; words: string }>`
      SELECT epoch, version, (to_jsonb(t) - 'epoch' - 'version')::text AS words FROM (SELECT * FROM ${where} FOR UPDATE) t`.execute(tx);
    return rows[0];
  };
  const before = await read();
  if (before && (before.epoch > at.epoch || (before.epoch === at.epoch && before.version > at.version))) return false;
  await sql`DELETE FROM ${where}`.execute(tx);
  await record();
  return before?.words !== (await read())?.words;
}
