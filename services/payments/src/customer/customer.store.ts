import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { blank, type Customer } from './customer.decide.js';

type Db = Kysely<PaymentsTables>;

export const findByRef = (db: Db, ref: string): Promise<Customer | undefined> =>
  db.selectFrom('customers').selectAll().where('ref', '=', ref).executeTakeFirst();

export const findByStripeId = (db: Db, id: string): Promise<Customer | undefined> =>
  db.selectFrom('customers').selectAll().where('stripe_customer', '=', id).executeTakeFirst();

/** Changes a row from the version that was read; the row afterwards, or null when somebody else was faster. */
export async function change(db: Db, { ref, version }: Customer, { metadata, ...columns }: Partial<Customer>): Promise<Customer | null> {
  const row = await db
    .updateTable('customers')
    .set({ ...columns, ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }), version: version + 1 })
    .where('ref', '=', ref)
    .where('version', '=', version)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

const ENDED = ['succeeded', 'canceled', 'failed'];

/**
 * Forgets the person: the row keeps only whose it was, the stored answer goes (its key stays used), and so does what payments that have ended were told about
 * a person. Details of payments under way are needed until they end.
 */
export async function forget(
  tx: Transaction<PaymentsTables>,
  customer: Customer,
  to: 'erasing' | 'erased',
  now: Date,
): Promise<Customer | null> {
  await sql`
    UPDATE request_details d SET details = details - 'receipt_email' - 'description' - 'locale'
    FROM payments p WHERE p.id = d.payment_id AND p.tenant = ${customer.tenant} AND p.customer = ${customer.stripe_customer} AND p.status = ANY(${ENDED})`.execute(
    tx,
  );
  await sql`UPDATE idempotency_keys SET content_type = NULL, body = NULL WHERE command_id = ${customer.command_id} AND status IS NOT NULL`.execute(
    tx,
  );
  return change(tx, customer, { status: to, ...blank, erased_at: customer.erased_at ?? now });
}
