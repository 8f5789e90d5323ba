import { type NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { wishRefresh } from '../work/work.store.js';
import { forget } from './customer.erasure.js';
import { type Cause } from './customer.publish.js';
import { findByStripeId } from './customer.store.js';

/** A customer that was deleted at Stripe, by whomever, is erased here, too. Answers whose it was; null when it is none of ours. */
export async function joinCustomerNews(
  tx: Transaction<PaymentsTables>,
  event: NormalizedStripeEvent,
  cause: Cause & { now: Date },
): Promise<string | null> {
  const customer = await findByStripeId(tx, event.object.id);
  if (!customer) return null;
  if (customer.status === 'erased') return customer.tenant;
  await forget(tx, customer, 'erased', cause);
  // Details of payments under way are forgotten when they have ended.
  await wishRefresh(tx, customer.ref, cause.now);
  return customer.tenant;
}
