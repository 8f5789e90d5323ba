import { type Call } from '../http/call.js';
import { invalidParam, noSuch } from '../http/errors.js';
import { arrayPage } from '../http/array-page.js';
import { type ListEnvelope, listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { schema } from '../schema/schema.js';
import { type World } from '../world.js';
import { cancelSubscription } from './cancel.js';
import { createSubscription } from './create.js';
import { subscriptionById } from './find.js';
import { resumeSubscription } from './resume.js';
import { type Subscription, type SubscriptionItem } from './subscription.js';
import { updateSubscription } from './update.js';

const PATH = '/v1/subscriptions';
const ITEMS = '/v1/subscription_items';
const SUPPORTED = [
  ...['cancel_at', 'cancel_at_period_end', 'cancellation_details', 'collection_method', 'currency', 'customer', 'days_until_due'],
  ...['default_payment_method', 'description', 'expand', 'items', 'metadata', 'off_session', 'payment_behavior', 'payment_settings'],
  ...['proration_behavior', 'trial_end', 'trial_period_days', 'trial_settings'],
];
const unsupported = (operation: string): string[] =>
  Object.keys(schema.operations[operation] ?? {}).filter((name) => !SUPPORTED.includes(name));

export const subscriptionRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'subscription', unsupported: unsupported(`POST ${PATH}`), handle: createSubscription },
  {
    operation: `GET ${PATH}`,
    returns: 'list<subscription>',
    unsupported: ['automatic_tax', 'current_period_end', 'current_period_start', 'customer_account', 'plan', 'test_clock'],
    handle: listSubscriptions,
  },
  { operation: `GET ${PATH}/{id}`, returns: 'subscription', handle: (world, { id }) => subscriptionById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'subscription', unsupported: unsupported(`POST ${PATH}/{id}`), handle: updateSubscription },
  { operation: `DELETE ${PATH}/{id}`, returns: 'subscription', handle: cancelSubscription },
  {
    operation: `POST ${PATH}/{id}/resume`,
    returns: 'subscription',
    unsupported: ['billing_cycle_anchor', 'payment_behavior', 'proration_behavior', 'proration_date'],
    handle: resumeSubscription,
  },
  {
    operation: `GET ${ITEMS}`,
    returns: 'list<subscription_item>',
    handle: (world, call) => {
      const { items } = subscriptionById(world, call.params['subscription'] as string, 'subscription');
      return arrayPage(call, items.data, { noun: 'subscription_item', url: ITEMS });
    },
  },
  { operation: `GET ${ITEMS}/{id}`, returns: 'subscription_item', handle: itemById },
];

/** Everything that has not ended, unless `status` says otherwise (`all`, `ended` or one status). */
function listSubscriptions(world: World, call: Call): ListEnvelope<Subscription> {
  const { status, price } = call.params as { status?: string; price?: string };
  const known = ['all', 'ended', ...['trialing', 'active', 'incomplete', 'incomplete_expired', 'past_due', 'unpaid', 'canceled', 'paused']];
  if (status !== undefined && !known.includes(status)) throw invalidParam(`Invalid status: must be one of ${known.join(', ')}`, 'status');
  const over = ['canceled', 'incomplete_expired'];
  return listPage(call, world.subscriptions, {
    noun: 'subscription',
    url: PATH,
    filters: ['customer', 'collection_method'],
    matches: (one) =>
      (price === undefined || one.items.data.some((item) => item.price.id === price)) &&
      (status === 'all' ||
        (status === undefined && one.status !== 'canceled') ||
        (status === 'ended' && over.includes(one.status)) ||
        one.status === status),
  });
}

function itemById(world: World, { id }: Call): SubscriptionItem {
  const found = world.subscriptions
    .all()
    .flatMap(({ items }) => items.data)
    .find((item) => item.id === id);
  if (found === undefined) throw noSuch('subscription_item', id, 'id');
  return found;
}
