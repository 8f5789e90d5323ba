import { schema } from '../schema/schema.js';
import { type EventRecord, type ThinEvent, type ThinRecord } from './event.js';
import { relatedObject } from './related-object.js';

const TYPES: ReadonlySet<string> = new Set(schema.thin_event_types);
const MARK = 'test_';

/** Whether destinations may select a type: `v1.payment_intent.succeeded`, `v2.core.event_destination.ping`. */
export function isThinType(type: string): boolean {
  return TYPES.has(type);
}

/** The thin type of a snapshot type, if there is one. */
export function thinTypeOf(type: string): string | undefined {
  return TYPES.has(`v1.${type}`) ? `v1.${type}` : undefined;
}

/**
 * The thin twin of a snapshot event. It is made when it is looked at and not kept: its id holds the id of the snapshot event.
 * Undefined when the type has no twin.
 */
export function thinTwin({ id, event }: EventRecord): ThinEvent | undefined {
  const type = thinTypeOf(event.type);
  if (type === undefined) return undefined;
  const { id: requestId, idempotency_key: key } = event.request;
  return {
    id: id.replace('_', `_${MARK}`),
    object: 'v2.core.event',
    created: isoTime(event.created),
    livemode: false,
    ...(requestId !== null && { reason: { type: 'request', request: { id: requestId, idempotency_key: key ?? '' } } }),
    related_object: relatedObject(event.data.object),
    snapshot_event: id,
    type,
  };
}

/** The id of the snapshot event behind the id of a thin twin. */
export function snapshotIdOf(thinId: string): string {
  return thinId.replace(`_${MARK}`, '_');
}

/** What is delivered: the event without its data, which the receiver fetches. */
export function notification(record: EventRecord | ThinRecord): ThinEvent | undefined {
  const event = record.event.object === 'event' ? thinTwin(record as EventRecord) : record.event;
  if (event === undefined) return undefined;
  const { data: _data, ...rest } = event;
  return rest;
}

/** Timestamps of v2 are ISO 8601. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
