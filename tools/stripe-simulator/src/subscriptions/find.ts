import { noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Subscription } from './subscription.js';

/** The subscription of a path id (404) or of a parameter (400). */
export function subscriptionById(world: World, id: string, param = 'id'): Subscription {
  const subscription = world.subscriptions.get(id);
  if (subscription === undefined) throw noSuch('subscription', id, param);
  return subscription;
}
