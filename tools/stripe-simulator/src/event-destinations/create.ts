import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { invalidFields } from '../v2/errors.js';
import { type World } from '../world.js';
import { checkedEvents, checkedUrl } from './checks.js';
import { type EventDestination } from './event-destination.js';

/** `POST /v2/core/event_destinations`, for webhook endpoints. */
export function createDestination(world: World, { params }: Call): EventDestination {
  if (params['type'] !== 'webhook_endpoint')
    throw invalidParam('This simulator supports event destinations of type webhook_endpoint only.', 'type');
  const payload = params['event_payload'] as 'snapshot' | 'thin';
  const version = params['snapshot_api_version'] as string | undefined;
  if (payload === 'thin' && version !== undefined)
    throw invalidFields('snapshot_api_version is for snapshot payloads only.', 'snapshot_api_version');
  return world.eventDestinations.insert({
    id: world.ids.next('ed_test'),
    object: 'v2.core.event_destination',
    createdSeconds: world.clock.nowSeconds(),
    updatedMs: world.clock.nowMs(),
    description: (params['description'] as string | undefined) ?? '',
    enabled_events: checkedEvents(params['enabled_events'] as string[], payload),
    event_payload: payload,
    metadata: mergeMetadata({}, params['metadata'] as Metadata | undefined),
    name: params['name'] as string,
    snapshot_api_version: payload === 'thin' ? null : (version ?? world.settings.accountApiVersion),
    status: 'enabled',
    url: checkedUrl(params['webhook_endpoint']),
    secrets: [`whsec_${world.ids.text(32)}`],
  });
}
