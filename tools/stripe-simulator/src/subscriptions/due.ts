import { AUTOMATIC } from '../http/call.js';
import { type World } from '../world.js';
import { draftBill } from './bill.js';
import { endSubscription, expireIncomplete } from './end.js';
import { changeSubscription } from './change.js';
import { renew } from './renew.js';
import { TRIAL_NOTICE_SECONDS } from './schedule.js';
import { type Subscription, periodOf } from './subscription.js';
import { RENEWING } from './transitions.js';

/** What time does to a subscription: its first payment or its time runs out, its trial or its period ends. */
export function subscriptionDue(world: World, id: string): void {
  const subscription = world.subscriptions.get(id);
  if (subscription === undefined || subscription.ended_at !== null) return;
  const now = world.clock.nowSeconds();
  if (subscription.status === 'incomplete') {
    if (subscription.created + world.settings.incompleteSeconds <= now) expireIncomplete(world, subscription, AUTOMATIC);
  } else if (subscription.cancel_at !== null && subscription.cancel_at <= now) endOnTime(world, subscription);
  else if (RENEWING.includes(subscription.status) && periodOf(subscription).end <= now) {
    if (subscription.status === 'trialing') endTrial(world, subscription);
    else renew(world, subscription, AUTOMATIC);
  }
}

/** Three days before the end of a trial. */
export function trialWillEnd(world: World, id: string): void {
  const subscription = world.subscriptions.get(id);
  if (subscription?.status !== 'trialing' || subscription.trial_end === null) return;
  const left = subscription.trial_end - world.clock.nowSeconds();
  if (left > 0 && left <= TRIAL_NOTICE_SECONDS) world.events.emit('customer.subscription.trial_will_end', subscription, AUTOMATIC);
}

/** Usage is billed after the fact, so the last period's is billed at the end. */
function endOnTime(world: World, subscription: Subscription): void {
  if (subscription.items.data.some(({ price }) => price.recurring?.usage_type === 'metered')) {
    const behind = { start: periodOf(subscription).start, end: world.clock.nowSeconds() };
    draftBill(world, subscription, { reason: 'subscription_cycle', advance: 'later', behind }, AUTOMATIC);
  }
  endSubscription(world, subscription, {}, AUTOMATIC);
}

function endTrial(world: World, subscription: Subscription): void {
  const { missing_payment_method: behaviour } = subscription.trial_settings.end_behavior;
  const method =
    subscription.default_payment_method ?? world.customers.get(subscription.customer)?.invoice_settings.default_payment_method ?? null;
  if (method !== null || behaviour === 'create_invoice' || subscription.collection_method === 'send_invoice') {
    renew(world, subscription, AUTOMATIC);
  } else if (behaviour === 'cancel') endSubscription(world, subscription, {}, AUTOMATIC);
  else {
    const paused = changeSubscription(world, subscription, { status: 'paused' }, AUTOMATIC);
    world.events.emit('customer.subscription.paused', paused, AUTOMATIC);
  }
}
