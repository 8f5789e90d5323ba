import { RESERVED_METADATA_KEYS } from '@tidegate/contracts/requests';
import { withoutMailAddresses } from '@tidegate/telemetry/mail-address';

/** Texts that normalizing reads, none of which is about a person: ids, states, codes and words of Stripe's. All others go. */
const KEPT: readonly string[] = [
  ...['id', 'object', 'type', 'api_version', 'account', 'context', 'created', 'idempotency_key'],
  ...[
    'payment_intent',
    'charge',
    'latest_charge',
    'customer',
    'payment_method',
    'balance_transaction',
    'invoice',
    'latest_invoice',
    'subscription',
    'price',
  ],
  ...['status', 'payment_status', 'capture_method', 'cancellation_reason', 'currency', 'reason', 'brand', 'last4'],
  ...['mode', 'method', 'number', 'billing_reason', 'collection_method', 'reconciliation_status', 'pause_collection', 'behavior'],
  ...['code', 'decline_code', 'failure_code', 'failure_reason', 'message', 'failure_message'],
];

/**
 * A stored event without what is, or may be, about a person: numbers, ids, states and codes are left, so that it is normalized to the same event as before.
 */
export function impersonal(payload: Uint8Array): Buffer {
  const event: unknown = JSON.parse(new TextDecoder().decode(payload));
  return Buffer.from(JSON.stringify(without(event, '')));
}

function without(value: unknown, name: string): unknown {
  if (typeof value === 'string') return KEPT.includes(name) ? withoutMailAddresses(value) : null;
  if (Array.isArray(value)) return value.map((one) => without(one, name));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => name !== 'metadata' || RESERVED.includes(key));
  return Object.fromEntries(entries.map(([key, one]) => [key, name === 'metadata' ? one : without(one, key)]));
}

const RESERVED: readonly string[] = RESERVED_METADATA_KEYS;
