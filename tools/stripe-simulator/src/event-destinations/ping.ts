import { type ThinEvent } from '../events/event.js';
import { type World } from '../world.js';
import { type EventDestination } from './event-destination.js';

/** Sends a thin event to one destination, whatever it selected, to test the connection. */
export function ping(world: World, { id, object }: EventDestination): ThinEvent {
  const related = { id, type: object, url: `/v2/core/event_destinations/${id}` };
  return world.events.notify('v2.core.event_destination.ping', related, { targets: [id] }).event;
}
