import { shownIn } from '../http/version-words.js';
import { type Stored } from '../store/collection.js';

/** A snapshot event. `data` is fixed at creation. */
export interface StripeEvent {
  readonly id: string;
  readonly object: 'event';
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: object; readonly previous_attributes?: object };
  readonly livemode: false;
  readonly pending_webhooks: number;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
  readonly type: string;
}

/** An event and the endpoints that have not yet answered 2xx. `event.pending_webhooks` keeps the first count, as delivered. */
export interface EventRecord extends Stored {
  readonly event: StripeEvent;
  readonly undelivered: readonly string[];
  /** No list shows it before this virtual time. */
  readonly listedFromMs?: number;
}

export interface RelatedObject {
  readonly id: string;
  readonly type: string;
  readonly url: string;
}

/** A thin event: it names its object instead of showing it, and has no API version. */
export interface ThinEvent {
  readonly id: string;
  readonly object: 'v2.core.event';
  readonly created: string;
  readonly livemode: false;
  readonly reason?: object;
  readonly related_object: RelatedObject | null;
  readonly snapshot_event?: string;
  readonly type: string;
  readonly data?: object;
}

/** A thin event that is no twin of a snapshot event, such as a ping. */
export interface ThinRecord extends Stored {
  readonly createdSeconds: number;
  readonly event: ThinEvent;
  readonly undelivered: readonly string[];
}

export type AnyEventRecord = EventRecord | ThinRecord;

/** The body of a snapshot delivery in a version; null is the account's. */
export function snapshotText(record: AnyEventRecord, apiVersion: string | null): string {
  const { event } = record;
  return JSON.stringify(event.object === 'event' && apiVersion !== null ? rendered(event, apiVersion) : event, null, 2);
}

function rendered(event: StripeEvent, version: string): StripeEvent {
  const object = shownIn(version, event.data.object) as object;
  return { ...event, api_version: version, data: object === event.data.object ? event.data : { ...event.data, object } };
}

/** The event as the API shows it now. */
export function eventView(record: EventRecord): StripeEvent {
  const pending = record.undelivered.length;
  return pending === record.event.pending_webhooks ? record.event : { ...record.event, pending_webhooks: pending };
}

/** The fields of `after` that differ, with their values in `before`. Nested maps are compared key by key, as Stripe shows them. */
export function previousAttributes(before: object, after: object): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  const old = before as Record<string, unknown>;
  const now = after as Record<string, unknown>;
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [was, is] = [old[key], now[key]];
    if (was === is) continue;
    if (isMap(was) && isMap(is)) {
      const inner = previousAttributes(was, is);
      if (Object.keys(inner).length > 0) changed[key] = inner;
    } else if (JSON.stringify(was) !== JSON.stringify(is)) {
      changed[key] = was ?? null;
    }
  }
  return changed;
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a subscription pattern (`*`, `charge.*` or a full name) covers a type. */
export function covers(pattern: string, type: string): boolean {
  if (pattern === '*' || pattern === type) return true;
  if (!pattern.includes('*')) return false;
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.at(-1) ?? '';
  return type.startsWith(head) && type.endsWith(tail) && type.length >= head.length + tail.length;
}
