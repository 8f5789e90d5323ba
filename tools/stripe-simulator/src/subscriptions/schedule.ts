import { type World } from '../world.js';
import { type Subscription, periodOf } from './subscription.js';

export const SUBSCRIPTION_DUE = 'subscription.due';
export const TRIAL_WILL_END = 'subscription.trial_will_end';

/** The notice before the end of a trial. */
export const TRIAL_NOTICE_SECONDS = 3 * 86_400;

/** Plans a look at everything that time does to a subscription; a look too many finds nothing to do. */
export function planNext(world: World, subscription: Subscription): void {
  const { id, cancel_at: cancelAt, trial_end: trialEnd, status, created } = subscription;
  const at = (seconds: number): void => world.scheduler.scheduleAt(seconds * 1000, { kind: SUBSCRIPTION_DUE, id });
  at(periodOf(subscription).end);
  if (cancelAt !== null) at(cancelAt);
  if (status === 'incomplete') at(created + world.settings.incompleteSeconds);
  if (status === 'trialing' && trialEnd !== null && trialEnd - TRIAL_NOTICE_SECONDS > world.clock.nowSeconds()) {
    world.scheduler.scheduleAt((trialEnd - TRIAL_NOTICE_SECONDS) * 1000, { kind: TRIAL_WILL_END, id });
  }
}
