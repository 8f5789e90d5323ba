import { type Call, type Cause } from '../http/call.js';
import { invalidParam, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { activeMeter, meterById } from './find.js';
import { type Meter } from './meter.js';
import { ALLOWED_FROM } from './transitions.js';

/** `POST /v1/billing/meters`: one active meter per event name. */
export function createMeter(world: World, { params, cause }: Call): Meter {
  const eventName = params['event_name'] as string;
  if (eventName.length > 100) throw invalidParam('Invalid string: must be at most 100 characters', 'event_name');
  mustBeFree(world, eventName);
  const now = world.clock.nowSeconds();
  const meter = world.meters.insert({
    id: `mtr_test_${world.ids.text(24)}`,
    object: 'billing.meter',
    created: now,
    customer_mapping: (params['customer_mapping'] as Meter['customer_mapping'] | undefined) ?? {
      event_payload_key: 'stripe_customer_id',
      type: 'by_id',
    },
    default_aggregation: params['default_aggregation'] as Meter['default_aggregation'],
    display_name: params['display_name'] as string,
    event_name: eventName,
    event_time_window: (params['event_time_window'] as Meter['event_time_window'] | undefined) ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: now,
    value_settings: (params['value_settings'] as Meter['value_settings'] | undefined) ?? { event_payload_key: 'value' },
  });
  world.events.emit('billing.meter.created', meter, cause);
  return meter;
}

export function updateMeter(world: World, { id, params, cause }: Call): Meter {
  const before = meterById(world, id);
  const name = (params['display_name'] as string | undefined) ?? before.display_name;
  return change(world, before, { display_name: name }, 'billing.meter.updated', cause);
}

/** An inactive meter takes no events and cannot be put on a price. */
export function deactivateMeter(world: World, { id, cause }: Call): Meter {
  const before = meterById(world, id);
  if (!ALLOWED_FROM.deactivate.includes(before.status)) throw refused('This meter is already deactivated.', undefined);
  const changes = { status: 'inactive', status_transitions: { deactivated_at: world.clock.nowSeconds() } } as const;
  return change(world, before, changes, 'billing.meter.deactivated', cause);
}

export function reactivateMeter(world: World, { id, cause }: Call): Meter {
  const before = meterById(world, id);
  if (!ALLOWED_FROM.reactivate.includes(before.status)) throw refused('This meter is already active.', undefined);
  mustBeFree(world, before.event_name);
  return change(world, before, { status: 'active', status_transitions: { deactivated_at: null } }, 'billing.meter.reactivated', cause);
}

function change(world: World, before: Meter, changes: Partial<Meter>, event: string, cause: Cause): Meter {
  const after = world.meters.replace({ ...before, ...changes, updated: world.clock.nowSeconds() });
  world.events.emit(event, after, cause, before);
  return after;
}

function mustBeFree(world: World, eventName: string): void {
  if (activeMeter(world, eventName) === undefined) return;
  throw refused(`An active meter with event name ${eventName} already exists.`, 'resource_already_exists', { param: 'event_name' });
}
