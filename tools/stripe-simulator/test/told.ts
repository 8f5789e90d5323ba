import { type StripeEvent } from '../src/events/event.js';
import { type Given } from './given.js';

/** `previous_attributes` of the events that have some, in their order. */
export function changesIn(events: readonly StripeEvent[]): object[] {
  return events.flatMap(({ data }) => (data.previous_attributes === undefined ? [] : [data.previous_attributes]));
}

/** What the newest request, or nobody, is called as the cause of an event. */
export function causeOf({ simulator }: Given, by: 'request' | 'stripe'): StripeEvent['request'] {
  const request = simulator.world.requests.all().at(-1);
  if (by === 'stripe' || request === undefined) return { id: null, idempotency_key: null };
  return { id: request.id, idempotency_key: request.idempotency_key };
}
