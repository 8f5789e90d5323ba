import { type Call } from '../http/call.js';
import { type World } from '../world.js';
import { collectBill, draftBill } from './bill.js';
import { endSubscription } from './end.js';
import { mustAllow, subscriptionById } from './find.js';
import { creditUnused } from './prorate.js';
import { type CancellationDetails, type Subscription, periodOf } from './subscription.js';

/** `DELETE /v1/subscriptions/{id}`: now; `prorate` credits what is unused, `invoice_now` bills what is left to bill. */
export function cancelSubscription(world: World, { id, params, cause }: Call): Subscription {
  const subscription = subscriptionById(world, id);
  mustAllow('cancel', subscription);
  if (params['prorate'] === true) creditUnused(world, subscription, cause);
  if (params['invoice_now'] === true) {
    const behind = { start: periodOf(subscription).start, end: world.clock.nowSeconds() };
    const bill = draftBill(world, subscription, { reason: 'subscription_update', advance: 'at_once', behind }, cause);
    collectBill(world, bill, cause);
  }
  const current = subscriptionById(world, id);
  return endSubscription(world, current, { reason: 'cancellation_requested', ...detailsOf(params['cancellation_details']) }, cause);
}

/** `comment` and `feedback` of the customer. */
export function detailsOf(given: unknown): Partial<CancellationDetails> {
  const { comment, feedback } = (given ?? {}) as { comment?: string | null; feedback?: string | null };
  return { ...(comment !== undefined && { comment }), ...(feedback !== undefined && { feedback }) };
}
