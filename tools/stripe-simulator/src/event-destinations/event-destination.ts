import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

/** An event destination of type `webhook_endpoint` as stored. */
export interface EventDestination extends Stored {
  readonly object: 'v2.core.event_destination';
  readonly createdSeconds: number;
  readonly updatedMs: number;
  readonly description: string;
  readonly enabled_events: readonly string[];
  readonly event_payload: 'snapshot' | 'thin';
  readonly metadata: Metadata;
  readonly name: string;
  /** Null for thin payloads, which have no version. */
  readonly snapshot_api_version: string | null;
  readonly status: 'enabled' | 'disabled';
  readonly url: string;
  readonly secrets: readonly string[];
}

/** The destination as the API shows it; `include` names the parts that show only when asked for. */
export function destinationView(destination: EventDestination, include: readonly string[] = []): object {
  const { url, secrets, status, snapshot_api_version: version } = destination;
  return {
    id: destination.id,
    object: destination.object,
    created: new Date(destination.createdSeconds * 1000).toISOString(),
    description: destination.description,
    enabled_events: destination.enabled_events,
    event_payload: destination.event_payload,
    events_from: ['@self'],
    livemode: false,
    metadata: destination.metadata,
    name: destination.name,
    ...(version !== null && { snapshot_api_version: version }),
    status,
    ...(status === 'disabled' && { status_details: { disabled: { reason: 'user' } } }),
    type: 'webhook_endpoint',
    updated: new Date(destination.updatedMs).toISOString(),
    webhook_endpoint: {
      ...(include.includes('webhook_endpoint.signing_secret') && { signing_secret: secrets[0] }),
      ...(include.includes('webhook_endpoint.url') && { url }),
    },
  };
}
