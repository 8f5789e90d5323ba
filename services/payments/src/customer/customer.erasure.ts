import { stage } from '@tidegate/messaging/outbox';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type PaymentsTables, type RequestDetails } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { blank, type Customer } from './customer.decide.js';
import { type Cause, erasedMessage } from './customer.publish.js';
import { change } from './customer.store.js';

type Db = Kysely<PaymentsTables>;
type Person = Pick<Customer, 'tenant' | 'stripe_customer'>;

const ENDED = ['succeeded', 'canceled', 'failed'];
/** What the details of a payment say, or may say, about a person. The items stay: they are what the money was for. */
const PERSONAL = ['receipt_email', 'description', 'locale', 'return_url', 'metadata'] as const satisfies (keyof RequestDetails)[];

/**
 * Forgets the person: the row keeps only whose it was, the stored answer goes (its key stays used), and so does what payments and checkouts that have ended
 * know. Whoever else has a copy is told, once, in the same transaction. Null when somebody else was faster.
 */
export async function forget(
  tx: Transaction<PaymentsTables>,
  customer: Customer,
  to: 'erasing' | 'erased',
  { now, ...cause }: Cause & { now: Date },
): Promise<Customer | null> {
  await forgetEnded(tx, customer);
  await sql`UPDATE idempotency_keys SET content_type = NULL, body = NULL WHERE command_id = ${customer.command_id} AND status IS NOT NULL`.execute(
    tx,
  );
  const after = await change(tx, customer, { status: to, ...blank, erased_at: customer.erased_at ?? now });
  if (after && customer.erased_at === null) await stage(tx, [erasedMessage(after, now, cause)]);
  return after;
}

/**
 * Forgets what payments and checkouts of this customer that have ended know about a person. Answers whether nothing is left: those under way need it until they
 * end.
 */
export async function forgetEnded(db: Db, customer: Person): Promise<boolean> {
  await forgetPayments(db, customer);
  await forgetCheckouts(db, customer);
  await forgetAnswers(db, customer);
  return !(await isAnythingLeft(db, customer));
}

/** Rows of payments are locked in the order of their ids, like everywhere. */
async function forgetPayments(db: Db, person: Person): Promise<void> {
  await sql`
    WITH ended AS (
      SELECT id FROM payments p WHERE ${of(person)} AND status = ANY(${ENDED})
        AND (metadata <> '{}' OR EXISTS (SELECT FROM request_details d WHERE d.payment_id = p.id AND d.details ?| ${PERSONAL}))
      ORDER BY id FOR UPDATE
    ), blanked AS (
      UPDATE payments p SET metadata = '{}' FROM ended WHERE p.id = ended.id AND p.metadata <> '{}'
    )
    UPDATE request_details d SET details = details - ${PERSONAL}::text[] FROM ended WHERE d.payment_id = ended.id AND d.details ?| ${PERSONAL}`.execute(
    db,
  );
}

/** Of a page that was paid, the payment has its own copy of the items, made when the payment became known. */
async function forgetCheckouts(db: Db, person: Person): Promise<void> {
  await sql`
    WITH ended AS (
      SELECT id FROM checkouts c WHERE ${of(person)} AND status <> 'open'
        AND (payment_id IS NULL OR EXISTS (SELECT FROM request_details d WHERE d.command_id = c.payment_id || ':page'))
      ORDER BY id FOR UPDATE
    ), blanked AS (
      UPDATE checkouts c SET metadata = '{}' FROM ended WHERE c.id = ended.id AND c.metadata <> '{}'
    )
    DELETE FROM request_details d USING ended WHERE d.payment_id = ended.id`.execute(db);
}

/**
 * What requests about them were answered. The answers themselves stay: one who repeats a request shall learn that the payment was made, and not make another.
 */
async function forgetAnswers(db: Db, person: Person): Promise<void> {
  const streams = sql`
    SELECT 'payment:' || id FROM payments WHERE ${of(person)} AND status = ANY(${ENDED})
    UNION ALL SELECT 'checkout:' || id FROM checkouts WHERE ${of(person)} AND status <> 'open'`;
  await sql`
    WITH said AS (
      SELECT k.command_id, k.body::jsonb AS body FROM events e JOIN idempotency_keys k ON k.command_id = e.data ->> 'command_id'
      WHERE e.stream IN (${streams}) AND k.body IS NOT NULL
    )
    UPDATE idempotency_keys k SET body = (said.body - 'next_action' || '{"metadata": {}}' || CASE WHEN said.body ? 'url' THEN '{"url": null}' ELSE '{}' END::jsonb)::text
    FROM said WHERE k.command_id = said.command_id
      AND (said.body -> 'metadata' <> '{}' OR said.body ? 'next_action' OR said.body ->> 'url' IS NOT NULL)`.execute(db);
}

async function isAnythingLeft(db: Db, person: Person): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM payments p JOIN request_details d ON d.payment_id = p.id WHERE ${of(person)} AND d.details ?| ${PERSONAL}
    UNION ALL SELECT FROM checkouts c JOIN request_details d ON d.payment_id = c.id WHERE ${of(person)}
    LIMIT 1`.execute(db);
  return rows.length > 0;
}

const of = ({ tenant, stripe_customer }: Person) => sql`tenant = ${tenant} AND customer = ${stripe_customer}`;

/** Whether the customer of a payment that has ended was erased: then nobody is told any more what it still knows. */
export const isToBeForgotten = async (db: Db, { customer, status }: { customer: string | null; status: string }): Promise<boolean> =>
  ENDED.includes(status) && (await isErased(db, customer));

export const isErased = async (db: Db, customer: string | null): Promise<boolean> => (await findErased(db, customer)) !== null;

async function findErased(db: Db, customer: string | null): Promise<string | null> {
  if (customer === null) return null;
  const erased = db.selectFrom('customers').select('ref').where('stripe_customer', '=', customer).where('erased_at', 'is not', null);
  return (await erased.executeTakeFirst())?.ref ?? null;
}

/** A payment became known that may be of somebody who was erased, perhaps long ago: what it tells of them is forgotten when it has ended. */
export async function forgetLateComer(tx: Transaction<PaymentsTables>, customer: string | null, now: Date): Promise<void> {
  const ref = await findErased(tx, customer);
  if (ref !== null) await wishRefresh(tx, ref, now);
}

export const withoutPerson = (details: RequestDetails): RequestDetails =>
  Object.fromEntries(Object.entries(details).filter(([name]) => !PERSONAL.some((personal) => personal === name)));
