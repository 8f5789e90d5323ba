import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { sql, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { forget } from './customer.erasure.js';
import { type Cause } from './customer.publish.js';
import { findByStripeId } from './customer.store.js';
import { blank, type Customer } from './customer.decide.js';
import { foreignCustomerRef } from '../idempotency/identity.js';

/** A customer that was deleted at Stripe, by whomever, is erased here, too. Answers whose it was; null when it is none of ours. */
export async function joinCustomerNews(
  tx: Transaction<PaymentsTables>,
  event: NormalizedStripeEvent,
  cause: Cause & { now: Date },
): Promise<string | null> {
  const customer = (await findByStripeId(tx, event.object.id)) ?? (await foundInUse(tx, event.object.id, event.livemode, cause.now));
  if (!customer) return null;
  if (customer.status === 'erased') return customer.tenant;
  // A second key may have made another one, which is still to be deleted there.
  await forget(tx, customer, customer.call_n > 1 ? 'erasing' : 'erased', cause);
  // Details of payments under way are forgotten when they have ended.
  await wishRefresh(tx, customer.ref, cause.now);
  return customer.tenant;
}

/** Whether it is, or may be, one of ours whose id at Stripe is not recorded yet. */
export async function isBeingMade(tx: Transaction<PaymentsTables>, { object }: NormalizedStripeEvent): Promise<boolean> {
  const made = tx
    .selectFrom('customers')
    .select('ref')
    .where('command_id', '=', object.metadata['command_id'] ?? '');
  return (await made.where('status', '=', 'creating').executeTakeFirst()) !== undefined;
}

/** One that was not made here, and that payments or checkouts of a tenant name all the same: from now on it has a row, by which what they know is forgotten. */
async function foundInUse(tx: Transaction<PaymentsTables>, id: string, livemode: boolean, now: Date): Promise<Customer | null> {
  const { rows } = await sql<{ tenant: string }>`
    SELECT tenant FROM payments WHERE customer = ${id} UNION SELECT tenant FROM checkouts WHERE customer = ${id} ORDER BY tenant LIMIT 1`.execute(
    tx,
  );
  const tenant = rows[0]?.tenant;
  if (tenant === undefined) return null;
  const ref = foreignCustomerRef(id);
  const known = { ref, command_id: ref, tenant, livemode, stripe_customer: id, created_at: now, call_since: now };
  const made = { status: 'active', version: 1, call_n: 1, call_answer: 'certain', call_stored: false } as const;
  await tx
    .insertInto('customers')
    .values({ ...known, ...made, ...blank, metadata: '{}' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await findByStripeId(tx, id)) ?? null;
}
