import { STRIPE_TYPES, type StripeEventType } from './events/stripe-event.js';

/**
 * Stripe's event types that mean something to Tidegate or to those who listen to it: all that have a contract of their own. A webhook endpoint of ours is
 * registered for exactly these; whatever else arrives is stored and published as `other`. To take another type, add it to the contract of its object:
 * `tidegate stripe setup --check` then reports the endpoints that lack it. Source: https://docs.stripe.com/api/events/types
 */
export const HANDLED_EVENT_TYPES: readonly StripeEventType[] = STRIPE_TYPES.toSorted();
