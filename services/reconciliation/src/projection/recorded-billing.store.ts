import type { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import type { SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { SnapshotPosition } from './recorded.store.js';

/** Records a subscription as a published event shows it, unless a newer event is recorded already. */
export async function recordSubscription(
  tx: Transaction<ReconciliationTables>,
  subscription: SubscriptionSnapshot,
  at: SnapshotPosition,
): Promise<void> {
  const { subscription_id, status, items, current_period_end, cancel_at_period_end, livemode, created_at, updated_at } = subscription;
  await sql`
    INSERT INTO recorded_subscriptions AS s (subscription_id, tenant, status, items, current_period_end, cancel_at_period_end, livemode, created_at,
      updated_at, epoch, version)
    VALUES (${subscription_id}, ${at.tenant}, ${status}, ${JSON.stringify(items)}, ${current_period_end}, ${cancel_at_period_end}, ${livemode},
      ${created_at}, ${updated_at}, ${at.epoch}, ${at.version})
    ON CONFLICT (subscription_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, items = excluded.items, current_period_end = excluded.current_period_end,
      cancel_at_period_end = excluded.cancel_at_period_end, livemode = excluded.livemode, created_at = excluded.created_at,
      updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (s.epoch, s.version)`.execute(tx);
}

/** The same of an invoice. */
export async function recordInvoice(tx: Transaction<ReconciliationTables>, invoice: InvoiceSnapshot, at: SnapshotPosition): Promise<void> {
  const { invoice_id, status, amount_due, amount_paid, amount_remaining, currency, attempt_count, next_payment_attempt } = invoice;
  await sql`
    INSERT INTO recorded_invoices AS i (invoice_id, tenant, status, amount_due, amount_paid, amount_remaining, currency, attempt_count,
      next_payment_attempt, payment_intents, livemode, created_at, updated_at, epoch, version)
    VALUES (${invoice_id}, ${at.tenant}, ${status}, ${amount_due}, ${amount_paid}, ${amount_remaining}, ${currency}, ${attempt_count},
      ${next_payment_attempt}, ${invoice.payment_intents}::text[], ${invoice.livemode}, ${invoice.created_at}, ${invoice.updated_at}, ${at.epoch},
      ${at.version})
    ON CONFLICT (invoice_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
      amount_remaining = excluded.amount_remaining, currency = excluded.currency, attempt_count = excluded.attempt_count,
      next_payment_attempt = excluded.next_payment_attempt, payment_intents = excluded.payment_intents, livemode = excluded.livemode,
      created_at = excluded.created_at, updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (i.epoch, i.version)`.execute(tx);
}
