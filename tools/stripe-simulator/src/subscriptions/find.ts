import { type StripeError, noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type Subscription } from './subscription.js';
import { ALLOWED_FROM, type SubscriptionOperation } from './transitions.js';

/** The subscription of a path id (404) or of a parameter (400). */
export function subscriptionById(world: World, id: string, param = 'id'): Subscription {
  const subscription = world.subscriptions.get(id);
  if (subscription === undefined) throw noSuch('subscription', id, param);
  return subscription;
}

/** Refuses an operation that the subscription's state does not allow. What has ended cannot be found for cancelling. */
export function mustAllow(operation: SubscriptionOperation, { id, status }: Subscription): void {
  if (ALLOWED_FROM[operation].includes(status)) return;
  throw REFUSALS[operation](id, status);
}

const REFUSALS: Readonly<Record<SubscriptionOperation, (id: string, status: string) => StripeError>> = {
  update: (_, status) =>
    status === 'incomplete'
      ? refused('A subscription with a status of incomplete can only update its metadata and default payment method.', undefined)
      : refused('A canceled subscription can only update its cancellation_details and metadata.', 'invalid_canceled_subscription_fields'),
  cancel: (id) => noSuch('subscription', id, 'id'),
  resume: (_, status) =>
    refused(`You can only resume a subscription with a status of paused; this one has a status of ${status}.`, undefined),
};
