import type { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { RESERVED_METADATA_KEYS } from '@tidegate/contracts/requests';

export type NormalizedObject = NormalizedStripeEvent['object'];
type Json = Record<string, unknown>;

/**
 * What we keep of a Stripe object, whatever its kind. Reads only the fields it names, so a `client_secret` (or anything else) of the object
 * cannot get through. Unknown kinds keep what they have in common with the known ones. `fallbackId` is for objects without an id (a balance).
 */
export function normalizedObject(source: Json, fallbackId: string): NormalizedObject {
  const kind = text(source['object']) ?? 'unknown';
  const common = commonFields(source, kind, fallbackId);
  switch (kind) {
    case 'payment_intent':
      return { ...common, ...intentFields(source) };
    case 'charge':
      return { ...common, ...chargeFields(source) };
    case 'refund':
      return { ...common, failure: refundFailure(source) };
    case 'dispute':
      return { ...common, dispute: disputeOf(source) };
    case 'checkout.session':
      return { ...common, amount: integer(source['amount_total']), payment_status: text(source['payment_status']) };
    case 'customer':
      return { ...common, metadata: ownMetadata(common.metadata) };
    default:
      return common;
  }
}

/** Events of one aggregate are published in order: everything about one payment is keyed by its PaymentIntent. */
export const aggregateOf = (object: NormalizedObject): string => object.payment_intent ?? object.id;

function commonFields(source: Json, kind: string, fallbackId: string): NormalizedObject {
  return {
    object: kind,
    id: text(source['id']) ?? fallbackId,
    status: text(source['status']),
    created: integer(source['created']),
    payment_intent: idOf(source['payment_intent']),
    charge: idOf(source['charge']),
    customer: idOf(source['customer']),
    amount: integer(source['amount']),
    amount_captured: null,
    amount_capturable: null,
    amount_refunded: null,
    currency: text(source['currency']),
    capture_method: null,
    cancellation_reason: null,
    failure: null,
    card: null,
    metadata: metadataOf(source['metadata']),
  };
}

function intentFields(intent: Json): Partial<NormalizedObject> {
  const error = record(intent['last_payment_error']);
  return {
    payment_intent: text(intent['id']),
    charge: idOf(intent['latest_charge']),
    amount_captured: integer(intent['amount_received']),
    amount_capturable: integer(intent['amount_capturable']),
    capture_method: text(intent['capture_method']),
    cancellation_reason: text(intent['cancellation_reason']),
    failure: error && {
      code: text(error['code']) ?? text(error['type']) ?? 'unknown',
      decline_code: text(error['decline_code']),
      message: text(error['message']) ?? '',
    },
    card: cardOf(intent['card']),
  };
}

function chargeFields(charge: Json): Partial<NormalizedObject> {
  const code = text(charge['failure_code']);
  return {
    charge: text(charge['id']),
    amount_captured: integer(charge['amount_captured']),
    amount_refunded: integer(charge['amount_refunded']),
    failure:
      code === null
        ? null
        : { code, decline_code: text(record(charge['outcome'])?.['reason']), message: text(charge['failure_message']) ?? '' },
    card: cardOf(record(charge['payment_method_details'])?.['card'] ?? charge['card']),
  };
}

/** Balance transactions of a dispute: a negative amount was withdrawn, a positive one came back. https://docs.stripe.com/api/disputes/object */
function disputeOf(dispute: Json): NormalizedObject['dispute'] {
  const listed = dispute['balance_transactions'];
  const movements = (Array.isArray(listed) ? listed : []).map((one) => record(one) ?? {});
  const total = (take: (movement: Json) => number) => movements.reduce((sum, movement) => sum + take(movement), 0);
  return {
    reason: text(dispute['reason']),
    due_by: integer(record(dispute['evidence_details'])?.['due_by']),
    movements: movements.length,
    currency: text(movements[0]?.['currency']),
    withdrawn: total((movement) => Math.max(0, -(integer(movement['amount']) ?? 0))),
    reinstated: total((movement) => Math.max(0, integer(movement['amount']) ?? 0)),
    fee: total((movement) => integer(movement['fee']) ?? 0),
  };
}

/** Stripe's card details of a charge, or the card of an object that was retrieved. */
function cardOf(value: unknown): NormalizedObject['card'] {
  const brand = text(record(value)?.['brand']);
  const last4 = text(record(value)?.['last4']);
  return brand !== null && last4 !== null && /^\d{4}$/.test(last4) ? { brand, last4 } : null;
}

function refundFailure(refund: Json): NormalizedObject['failure'] {
  const reason = text(refund['failure_reason']);
  return reason === null ? null : { code: reason, decline_code: null, message: reason };
}

function metadataOf(value: unknown): Record<string, string> {
  const entries = Object.entries(record(value) ?? {}).flatMap(([key, entry]) => {
    const clean = text(entry);
    return clean === null || key === '__proto__' ? [] : [[storable(key), clean] as const];
  });
  return Object.fromEntries(entries);
}

/** What others write on a customer may be about the person, and events are never erased. */
const ownMetadata = (metadata: Record<string, string>): Record<string, string> =>
  Object.fromEntries(RESERVED_METADATA_KEYS.flatMap((key) => (metadata[key] === undefined ? [] : [[key, metadata[key]]])));

/** An id, or the id of the expanded object in its place. */
const idOf = (value: unknown): string | null => text(value) ?? text(record(value)?.['id']);
const record = (value: unknown): Json | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
const integer = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);
const text = (value: unknown): string | null => (typeof value === 'string' ? storable(value) : null);
/** Postgres stores neither NUL nor lone surrogates in jsonb. */
const storable = (value: string): string => value.replaceAll('\u0000', '').toWellFormed();
