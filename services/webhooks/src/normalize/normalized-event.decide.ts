import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { normalizedObject } from './normalized-object.decide.js';

/** A stored row, as far as normalizing needs it. */
export interface StoredStripeEvent {
  stripe_event_id: string;
  event_type: string;
  created: Date;
  livemode: boolean;
  api_version: string | null;
  /** The payload does not show the object, or not as it can be read here: it has to be retrieved. */
  hint: boolean;
  payload: Uint8Array;
}

/** The object that an event is about, as far as its payload says. */
export interface ObjectReference {
  kind: string;
  id: string;
}

type Json = Record<string, unknown>;

/** Any tenant but this one has to be named by the object's metadata. */
export const DEFAULT_TENANT = 'default';

/**
 * Our words for one stored event. `retrieved` is the object as fetched at the pinned version; a hint whose object could not be found is
 * normalized from what the payload shows.
 */
export function normalizedEvent(row: StoredStripeEvent, retrieved: object | null): NormalizedStripeEvent {
  const payload = payloadOf(row);
  const object = (retrieved as Json | null) ?? shownObject(payload);
  const key = recordOf(payload['request'])?.['idempotency_key'];
  return {
    stripe_event_id: row.stripe_event_id,
    type: snapshotType(row.event_type),
    created: Math.floor(row.created.getTime() / 1000),
    livemode: row.livemode,
    api_version: row.api_version,
    hint: row.hint,
    replay: false,
    request_idempotency_key: typeof key === 'string' ? key.replaceAll('\u0000', '').toWellFormed() : null,
    object: normalizedObject(object, row.stripe_event_id),
  };
}

/** Which object to retrieve for a hint; null when the payload names none. */
export function referenceOf(row: StoredStripeEvent): ObjectReference | null {
  const object = shownObject(payloadOf(row));
  const { object: kind, id } = object;
  return typeof kind === 'string' && typeof id === 'string' ? { kind, id } : null;
}

export const tenantOf = (event: NormalizedStripeEvent): string => {
  const named = event.object.metadata['tenant_id'];
  return named !== undefined && /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(named) ? named : DEFAULT_TENANT;
};

/** Thin twins of snapshot events are named `v1.payment_intent.succeeded`. */
const snapshotType = (type: string): string => (type.startsWith('v1.') ? type.slice(3) : type);

function shownObject(payload: Json): Json {
  const shown = recordOf(recordOf(payload['data'])?.['object']);
  if (shown) return shown;
  const related = recordOf(payload['related_object']);
  return related ? { object: related['type'], id: related['id'] } : {};
}

const payloadOf = (row: StoredStripeEvent): Json => recordOf(JSON.parse(new TextDecoder().decode(row.payload))) ?? {};
const recordOf = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
