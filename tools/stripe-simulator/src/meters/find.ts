import { noSuch } from '../http/errors.js';
import { type World } from '../world.js';
import { type Meter } from './meter.js';

/** The meter of a path id (404) or of a parameter (400). */
export function meterById(world: World, id: string, param = 'id'): Meter {
  const meter = world.meters.get(id);
  if (meter === undefined) throw noSuch('billing meter', id, param);
  return meter;
}

/** The meter that takes events of a name now. */
export function activeMeter(world: World, eventName: string): Meter | undefined {
  return world.meters.by('event_name', eventName).find(({ status }) => status === 'active');
}
