import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Customer } from './customer.decide.js';

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
