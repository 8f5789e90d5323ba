import { isThinType } from '../events/thin.js';
import { schema } from '../schema/schema.js';
import { invalidFields } from '../v2/errors.js';

const SNAPSHOT_TYPES: ReadonlySet<string> = new Set(schema.event_types);

/** Snapshot destinations take snapshot types or `*`; thin ones take thin types, each by name. */
export function checkedEvents(events: readonly string[], payload: 'snapshot' | 'thin'): readonly string[] {
  if (events.length === 0) throw invalidFields('enabled_events must name at least one event type.', 'enabled_events');
  const known = payload === 'thin' ? isThinType : (type: string): boolean => type === '*' || SNAPSHOT_TYPES.has(type);
  const at = events.findIndex((type) => !known(type));
  if (at === -1) return events;
  const hint = events[at] === '*' ? ' Destinations with thin payloads can not select all types.' : '';
  throw invalidFields(`${String(events[at]).slice(0, 100)} is no event type for ${payload} payloads.${hint}`, `enabled_events.${at}`);
}

/** Plain http is good here, as in a sandbox of Stripe's. */
export function checkedUrl(endpoint: unknown): string {
  const url = (endpoint as { url?: string } | undefined)?.url;
  if (url === undefined) throw invalidFields('webhook_endpoint.url is required for this type.', 'webhook_endpoint.url');
  if (/^https?:\/\/[^\s/]+/.test(url) && URL.canParse(url)) return url;
  throw invalidFields('webhook_endpoint.url must be an http or https URL.', 'webhook_endpoint.url');
}
