import { stage } from '@tidegate/messaging/outbox';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables, type RequestDetails } from '../tables.js';
import { blank, type Customer } from './customer.decide.js';
import { type Cause, erasedMessage } from './customer.publish.js';
import { change } from './customer.store.js';

type Db = Kysely<PaymentsTables>;

const ENDED = ['succeeded', 'canceled', 'failed'];
/** What the details of a payment say, or may say, about a person. The items stay: they are what the money was for. */
const PERSONAL = ['receipt_email', 'description', 'locale', 'return_url'] as const satisfies (keyof RequestDetails)[];

/**
 * Forgets the person: the row keeps only whose it was, the stored answer goes (its key stays used), and so do the details of payments that have ended. Whoever
 * else has a copy is told, once, in the same transaction. Null when somebody else was faster.
 */
export async function forget(
  tx: Transaction<PaymentsTables>,
  customer: Customer,
  to: 'erasing' | 'erased',
  { now, ...cause }: Cause & { now: Date },
): Promise<Customer | null> {
  await forgetDetails(tx, customer);
  await sql`UPDATE idempotency_keys SET content_type = NULL, body = NULL WHERE command_id = ${customer.command_id} AND status IS NOT NULL`.execute(
    tx,
  );
  const after = await change(tx, customer, { status: to, ...blank, erased_at: customer.erased_at ?? now });
  if (after && customer.erased_at === null) await stage(tx, [erasedMessage(after, now, cause)]);
  return after;
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

/** Whether the customer of a payment that has ended was erased: then nobody is told any more what it still knows. */
export async function isToBeForgotten(db: Db, { customer, status }: { customer: string | null; status: string }): Promise<boolean> {
  if (customer === null || !ENDED.includes(status)) return false;
  const erased = db.selectFrom('customers').select('ref').where('stripe_customer', '=', customer).where('erased_at', 'is not', null);
  return (await erased.executeTakeFirst()) !== undefined;
}

export const withoutPerson = (details: RequestDetails): RequestDetails =>
  Object.fromEntries(Object.entries(details).filter(([name]) => !PERSONAL.some((personal) => personal === name)));
