import type { NormalizedStripeEvent, StripeObject } from '@tidegate/contracts/events/stripe-event';
import { normalizedObject } from './object/normalized-object.decide.js';
import { type Json, record } from './object/read.decide.js';

/** A stored row, as far as normalizing needs it. */
export interface StoredStripeEvent {
  stripe_event_id: string;
  event_type: string;
  created: Date;
  livemode: boolean;
  api_version: string | null;
  /** The payload does not show the object, or not as it can be read here: it has to be retrieved. */
  hint: boolean;
  /** The message that it was published as before; null when it never was. */
  message_id: string | null;
  payload: Uint8Array;
}

/** The object that an event is about, as far as its payload says. */
export interface ObjectReference {
  kind: string;
  id: string;
}

/** Any tenant but this one has to be named by somebody. */
export const DEFAULT_TENANT = 'default';

/** What Stripe answered when it was asked for the object of a hint; null: there is no such object any more. */
export interface Shown {
  object: object | null;
}

/**
 * Our words for one stored event. A hint is told by the object as Stripe shows it, or, when that is gone, by what the payload shows of it.
 */
export function normalizedEvent(row: StoredStripeEvent, shown: Shown | null): NormalizedStripeEvent {
  const payload = payloadOf(row);
  const type = snapshotType(row.event_type);
  const retrieved = shown?.object ?? null;
  const key = record(payload['request'])?.['idempotency_key'];
  const object = normalizedObject((retrieved as Json | null) ?? shownObject(payload), row.stripe_event_id);
  return {
    stripe_event_id: row.stripe_event_id,
    type,
    created: Math.floor(row.created.getTime() / 1000),
    livemode: row.livemode,
    api_version: row.api_version,
    hint: row.hint || shown !== null,
    replay: row.message_id !== null,
    request_idempotency_key: typeof key === 'string' ? key.replaceAll('\u0000', '').toWellFormed() : null,
    object: isEnd(type) || (shown !== null && retrieved === null) ? ended(object) : object,
  };
}

/** Which object to retrieve for a hint; null when the payload names none. */
export function referenceOf(row: Pick<StoredStripeEvent, 'payload'>): ObjectReference | null {
  const object = shownObject(payloadOf(row));
  const { object: kind, id } = object;
  return typeof kind === 'string' && typeof id === 'string' ? { kind, id } : null;
}

/** The last event of an object that can be deleted; nothing is left to be asked for. */
export const isEnd = (type: string): boolean => ['customer.deleted', 'invoice.deleted'].includes(snapshotType(type));

/** Thin twins of snapshot events are named `v1.payment_intent.succeeded`. */
const snapshotType = (type: string): string => (type.startsWith('v1.') ? type.slice(3) : type);

const ended = (object: StripeObject): StripeObject =>
  object.object === 'customer' || object.object === 'invoice' ? { ...object, deleted: true } : object;

function shownObject(payload: Json): Json {
  const shown = record(record(payload['data'])?.['object']);
  if (shown) return shown;
  const related = record(payload['related_object']);
  return related ? { object: related['type'], id: related['id'] } : {};
}

const payloadOf = (row: Pick<StoredStripeEvent, 'payload'>): Json => record(JSON.parse(new TextDecoder().decode(row.payload))) ?? {};
