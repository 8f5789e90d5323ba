import type { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import type { SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { sql, type Transaction } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { newestOf, type SnapshotPosition, type Told } from './recorded.store.js';

/** Records a subscription as a published event shows it, unless a newer event is recorded already. */
export const recordSubscription = (
  tx: Transaction<ReconciliationTables>,
  shows: SubscriptionSnapshot,
  at: SnapshotPosition,
): Promise<void> => recordSubscriptions(tx, [{ shows, at }]);

/** The same of many events, in any order. */
export async function recordSubscriptions(
  tx: Transaction<ReconciliationTables>,
  told: readonly Told<SubscriptionSnapshot>[],
): Promise<void> {
  const newest = newestOf(told, (one) => one.subscription_id);
  const each = <T>(value: (one: Told<SubscriptionSnapshot>) => T): T[] => newest.map(value);
  await sql`
    INSERT INTO recorded_subscriptions AS s (subscription_id, tenant, status, items, current_period_end, cancel_at_period_end, livemode, created_at,
      updated_at, epoch, version)
    SELECT * FROM unnest(${each(({ shows }) => shows.subscription_id)}::text[], ${each(({ at }) => at.tenant)}::text[],
      ${each(({ shows }) => shows.status)}::text[], ${each(({ shows }) => JSON.stringify(shows.items))}::jsonb[],
      ${each(({ shows }) => shows.current_period_end)}::timestamptz[], ${each(({ shows }) => shows.cancel_at_period_end)}::boolean[],
      ${each(({ shows }) => shows.livemode)}::boolean[], ${each(({ shows }) => shows.created_at)}::timestamptz[],
      ${each(({ shows }) => shows.updated_at)}::timestamptz[], ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[])
    ON CONFLICT (subscription_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, items = excluded.items, current_period_end = excluded.current_period_end,
      cancel_at_period_end = excluded.cancel_at_period_end, livemode = excluded.livemode, created_at = excluded.created_at,
      updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (s.epoch, s.version)`.execute(tx);
}

/** The same of an invoice. */
export const recordInvoice = (tx: Transaction<ReconciliationTables>, shows: InvoiceSnapshot, at: SnapshotPosition): Promise<void> =>
  recordInvoices(tx, [{ shows, at }]);

/** The payment intents of an invoice come as JSON: arrays of arrays would all have to be of one length. */
export async function recordInvoices(tx: Transaction<ReconciliationTables>, told: readonly Told<InvoiceSnapshot>[]): Promise<void> {
  const newest = newestOf(told, (one) => one.invoice_id);
  const each = <T>(value: (one: Told<InvoiceSnapshot>) => T): T[] => newest.map(value);
  await sql`
    INSERT INTO recorded_invoices AS i (invoice_id, tenant, status, amount_due, amount_paid, amount_remaining, currency, attempt_count,
      next_payment_attempt, payment_intents, livemode, created_at, updated_at, epoch, version)
    SELECT invoice_id, tenant, status, amount_due, amount_paid, amount_remaining, currency, attempt_count, next_payment_attempt,
      ARRAY(SELECT id FROM jsonb_array_elements_text(payment_intents) WITH ORDINALITY AS intent(id, n) ORDER BY n), livemode, created_at, updated_at,
      epoch, version
    FROM unnest(${each(({ shows }) => shows.invoice_id)}::text[], ${each(({ at }) => at.tenant)}::text[], ${each(({ shows }) => shows.status)}::text[],
      ${each(({ shows }) => shows.amount_due)}::bigint[], ${each(({ shows }) => shows.amount_paid)}::bigint[],
      ${each(({ shows }) => shows.amount_remaining)}::bigint[], ${each(({ shows }) => shows.currency)}::text[],
      ${each(({ shows }) => shows.attempt_count)}::int[], ${each(({ shows }) => shows.next_payment_attempt)}::timestamptz[],
      ${each(({ shows }) => JSON.stringify(shows.payment_intents))}::jsonb[], ${each(({ shows }) => shows.livemode)}::boolean[],
      ${each(({ shows }) => shows.created_at)}::timestamptz[], ${each(({ shows }) => shows.updated_at)}::timestamptz[],
      ${each(({ at }) => at.epoch)}::int[], ${each(({ at }) => at.version)}::bigint[])
      AS told(invoice_id, tenant, status, amount_due, amount_paid, amount_remaining, currency, attempt_count, next_payment_attempt, payment_intents,
        livemode, created_at, updated_at, epoch, version)
    ON CONFLICT (invoice_id) DO UPDATE SET
      tenant = excluded.tenant, status = excluded.status, amount_due = excluded.amount_due, amount_paid = excluded.amount_paid,
      amount_remaining = excluded.amount_remaining, currency = excluded.currency, attempt_count = excluded.attempt_count,
      next_payment_attempt = excluded.next_payment_attempt, payment_intents = excluded.payment_intents, livemode = excluded.livemode,
      created_at = excluded.created_at, updated_at = excluded.updated_at, epoch = excluded.epoch, version = excluded.version
    WHERE (excluded.epoch, excluded.version) > (i.epoch, i.version)`.execute(tx);
}
