import { type Call } from '../http/call.js';
import { StripeError, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { activeMeter } from './find.js';
import { type Meter } from './meter.js';
import { type MeterEvent, type MeterEventRecord } from './meter-event.js';

const DAY_SECONDS = 86_400;
const OLDEST_SECONDS = 35 * DAY_SECONDS;
const AHEAD_SECONDS = 5 * 60;

/** How long an identifier is remembered: duplicates beyond it bill twice (`identifier` in the API reference). */
export const IDENTIFIER_SECONDS = DAY_SECONDS;

/**
 * `POST /v1/billing/meter_events`. Refuses an unknown or inactive meter, a timestamp more than 35 days old or five minutes ahead, a
 * payload without customer or value, and an identifier that was used in the last 24 hours. A customer who does not exist is found out
 * later at Stripe, so his usage is accepted and never billed.
 */
export function createMeterEvent(world: World, { params }: Call): MeterEvent {
  const {
    event_name: name,
    payload,
    identifier,
    timestamp,
  } = params as { event_name: string; payload: Record<string, unknown>; identifier?: string; timestamp?: number };
  const meter = meterFor(world, name);
  const now = world.clock.nowSeconds();
  const at = timestamp ?? now;
  if (at < now - OLDEST_SECONDS)
    throw unusable('timestamp_too_far_in_past', 'The timestamp must be within the past 35 calendar days.', 'timestamp');
  if (at > now + AHEAD_SECONDS)
    throw unusable('timestamp_in_future', 'The timestamp must not be more than 5 minutes in the future.', 'timestamp');
  const texts = textsOf(payload);
  const customer = texts[meter.customer_mapping.event_payload_key];
  if (customer === undefined)
    throw unusable('meter_event_no_customer_defined', `The payload lacks ${meter.customer_mapping.event_payload_key}.`, 'payload');
  const value = valueOf(meter, texts);
  const id = world.ids.next('mtrevt');
  const event: MeterEvent = {
    object: 'billing.meter_event',
    created: now,
    event_name: name,
    identifier: identifier ?? id,
    livemode: false,
    payload: texts,
    timestamp: at,
  };
  if (recorded(world, event.identifier) !== undefined) throw duplicate(event.identifier);
  world.meterEvents.insert({ id, event, meter: meter.id, customer, identifier: event.identifier, value, canceled: false });
  return event;
}

/** The event of an identifier, while it is remembered. */
export function recorded(world: World, identifier: string): MeterEventRecord | undefined {
  const since = world.clock.nowSeconds() - IDENTIFIER_SECONDS;
  return world.meterEvents.by('identifier', identifier).find(({ event }) => event.created > since);
}

export function meterFor(world: World, eventName: string): Meter {
  const meter = activeMeter(world, eventName);
  if (meter !== undefined) return meter;
  const archived = world.meters.by('event_name', eventName).length > 0;
  throw archived
    ? unusable('archived_meter', `The meter for event name ${eventName} is inactive.`, 'event_name')
    : unusable('no_meter', `No active meter found for event name ${eventName}.`, 'event_name');
}

function textsOf(payload: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const wrong = Object.entries(payload).find(([, value]) => typeof value !== 'string');
  if (wrong !== undefined) throw unusable('meter_event_invalid_value', 'Payload values must be strings.', `payload[${wrong[0]}]`);
  return payload as Record<string, string>;
}

/** Counting meters need no value. */
function valueOf(
  { default_aggregation: { formula }, value_settings: { event_payload_key: key } }: Meter,
  payload: Readonly<Record<string, string>>,
): number {
  const text = payload[key];
  if (text === undefined && formula === 'count') return 1;
  if (text === undefined) throw unusable('meter_event_value_not_found', `The payload lacks ${key}.`, 'payload');
  if (!/^-?\d{1,15}(\.\d{1,12})?$/.test(text))
    throw unusable('meter_event_invalid_value', `The value of ${key} must be numeric.`, `payload[${key}]`);
  return Number(text);
}

function unusable(code: string, message: string, param: string): StripeError {
  return refused(message, code, { param });
}

function duplicate(identifier: string): StripeError {
  const message = `An event already exists with identifier ${identifier}.`;
  return new StripeError(400, { type: 'invalid_request_error', message }, true, { 'Stripe-Should-Retry': 'false' });
}
