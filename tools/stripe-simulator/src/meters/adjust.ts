import { type Call } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { meterFor, recorded } from './record.js';

/** `POST /v1/billing/meter_event_adjustments`: takes back one event within 24 hours of its acceptance. */
export function adjustMeterEvent(world: World, { params }: Call): object {
  const { event_name: name, cancel } = params as { event_name: string; cancel?: { identifier?: string } };
  const identifier = cancel?.identifier;
  if (identifier === undefined)
    throw invalidParam('Missing required param: cancel[identifier].', 'cancel[identifier]', 'parameter_missing');
  const meter = meterFor(world, name);
  const record = recorded(world, identifier);
  if (record === undefined || record.meter !== meter.id) {
    throw refused(`No event of the last 24 hours with identifier ${identifier}.`, 'resource_missing', { param: 'cancel[identifier]' });
  }
  if (record.canceled)
    throw refused(`The event with identifier ${identifier} is already cancelled.`, undefined, { param: 'cancel[identifier]' });
  world.meterEvents.replace({ ...record, canceled: true });
  return {
    object: 'billing.meter_event_adjustment',
    cancel: { identifier },
    event_name: name,
    livemode: false,
    status: 'complete',
    type: 'cancel',
  };
}
