import { type Call, type Cause } from '../http/call.js';
import { pendingItems } from '../invoices/create.js';
import { type World } from '../world.js';
import { collectBill, draftBill } from './bill.js';
import { endSubscription } from './end.js';
import { mustAllow, subscriptionById } from './find.js';
import { creditUnused } from './prorate.js';
import { type CancellationDetails, type Subscription, periodOf } from './subscription.js';

/** `DELETE /v1/subscriptions/{id}`: now; `prorate` credits what is unused, `invoice_now` bills what is left to bill; without both, prorations that wait are dropped. */
export function cancelSubscription(world: World, { id, params, cause }: Call): Subscription {
  const subscription = subscriptionById(world, id);
  mustAllow('cancel', subscription);
  if (params['prorate'] === true && PAID_AHEAD.includes(subscription.status)) creditUnused(world, subscription, cause);
  if (params['invoice_now'] === true) billTheRest(world, subscription, cause);
  if (params['prorate'] !== true && params['invoice_now'] !== true) dropProrations(world, subscription, cause);
  const current = subscriptionById(world, id);
  return endSubscription(world, current, { reason: 'cancellation_requested', ...detailsOf(params['cancellation_details']) }, cause);
}

/** Only these have been billed for the period that runs. */
const PAID_AHEAD = ['active', 'past_due'];

/** The last invoice: usage of the running period and what waits for the next invoice; none when there is nothing of both. */
function billTheRest(world: World, subscription: Subscription, cause: Cause): void {
  const metered = subscription.items.data.some(({ price }) => price.recurring?.usage_type === 'metered');
  if (!metered && pendingItems(world, subscription.customer, subscription.id).length === 0) return;
  const behind = { start: periodOf(subscription).start, end: world.clock.nowSeconds() };
  const bill = draftBill(world, subscription, { reason: 'subscription_update', advance: 'at_once', behind }, cause);
  collectBill(world, bill, cause);
  world.subscriptions.replace({ ...subscriptionById(world, subscription.id), latest_invoice: bill.id });
}

/** Prorations that nobody will bill any more: they go when neither `prorate` nor `invoice_now` is asked for. */
function dropProrations(world: World, { customer, id }: Subscription, cause: Cause): void {
  const pending = pendingItems(world, customer, id).filter(
    (item) => item.proration && item.parent?.subscription_details.subscription === id,
  );
  for (const item of pending) {
    world.invoiceItems.remove(item.id);
    world.events.emit('invoiceitem.deleted', item, cause);
  }
}

/** `comment` and `feedback` of the customer. */
export function detailsOf(given: unknown): Partial<CancellationDetails> {
  const { comment, feedback } = (given ?? {}) as { comment?: string | null; feedback?: string | null };
  return { ...(comment !== undefined && { comment }), ...(feedback !== undefined && { feedback }) };
}
