import { CustomerErased, customerErased } from '@tidegate/contracts/events/customer';
import { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.js';

/** A customer of payments was erased. */
export const ERASED = customerErased.subject;

/** What is about the person; what was bought stays, and so does the id, which names nobody. */
const BLANK = {
  description: null,
  receipt_email: null,
  locale: null,
  customer_name: null,
  customer_locale: null,
} as const satisfies Partial<PaymentDetails>;

/** Erases what is kept about the payer, and remembers whom, because details may still be on their way. Throws PermanentFailure for what names no customer. */
export async function erasePayer(tx: Transaction<Tables>, message: Incoming): Promise<void> {
  const parsed = CustomerErased.safeParse(message.envelope.data);
  if (!parsed.success) throw new PermanentFailure(`not an erased customer: ${parsed.error.message}`);
  const { customer, erased_at } = parsed.data;
  await alone(tx, customer);
  await tx
    .insertInto('erased_customers')
    .values({ customer, erased_at: new Date(erased_at) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql`UPDATE payers SET details = details || ${JSON.stringify(BLANK)}::jsonb WHERE details ->> 'customer' = ${customer}`.execute(tx);
}

/** Keeps the details of a payer, without what is about a person who was erased. The first ones stay. Answers those that are kept: they are to be printed. */
export async function keepPayer(
  db: Kysely<Tables>,
  payer: { payment_id: string; tenant: string; details: PaymentDetails; fetched_at: Date },
): Promise<PaymentDetails> {
  return db.transaction().execute(async (tx) => {
    const { customer } = payer.details;
    if (customer !== null) await alone(tx, customer);
    const details = (await isErased(tx, customer)) ? { ...payer.details, ...BLANK } : payer.details;
    await tx
      .insertInto('payers')
      .values({ ...payer, details: JSON.stringify(details) })
      .onConflict((conflict) => conflict.column('payment_id').doNothing())
      .execute();
    const kept = await tx.selectFrom('payers').select('details').where('payment_id', '=', payer.payment_id).executeTakeFirstOrThrow();
    return PaymentDetails.parse(kept.details);
  });
}

/** Whether the payer of this payment was erased since: its documents cannot be made again as they were. */
export async function isPayerErased(db: Kysely<Tables>, paymentId: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM payers p JOIN erased_customers e ON e.customer = p.details ->> 'customer' WHERE p.payment_id = ${paymentId}`.execute(db);
  return rows.length > 0;
}

/** Erasing a customer and keeping details of that customer's payments wait for each other: neither would see the other's row. */
const alone = (tx: Transaction<Tables>, customer: string) =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`payer of ${customer}`}, 0))`.execute(tx);

async function isErased(tx: Transaction<Tables>, customer: string | null): Promise<boolean> {
  if (customer === null) return false;
  return (await tx.selectFrom('erased_customers').select('customer').where('customer', '=', customer).executeTakeFirst()) !== undefined;
}
