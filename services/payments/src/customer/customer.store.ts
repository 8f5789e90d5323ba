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
/** What the details of a payment say about a person. */
const PERSONAL = ['receipt_email', 'description', 'locale'];

/** Forgets the person: the row keeps only whose it was, the stored answer goes (its key stays used), and so do the details of payments that have ended. */
export async function forget(
  tx: Transaction<PaymentsTables>,
  customer: Customer,
  to: 'erasing' | 'erased',
  now: Date,
): Promise<Customer | null> {
  await forgetDetails(tx, customer);
  await sql`UPDATE idempotency_keys SET content_type = NULL, body = NULL WHERE command_id = ${customer.command_id} AND status IS NOT NULL`.execute(
    tx,
  );
  return change(tx, customer, { status: to, ...blank, erased_at: customer.erased_at ?? now });
}

/**
 * Forgets what payments of this customer that have ended were told about a person. Answers whether all is forgotten: details of payments under way are needed
 * until they end.
 */
export async function forgetDetails(db: Db, { tenant, stripe_customer }: Customer): Promise<boolean> {
  const details = sql`payments p WHERE p.id = d.payment_id AND p.tenant = ${tenant} AND p.customer = ${stripe_customer} AND d.details ?| ${PERSONAL}`;
  await sql`UPDATE request_details d SET details = details - ${PERSONAL}::text[] FROM ${details} AND p.status = ANY(${ENDED})`.execute(db);
  const { rows } = await sql`SELECT 1 FROM request_details d, ${details} LIMIT 1`.execute(db);
  return rows.length === 0;
}
