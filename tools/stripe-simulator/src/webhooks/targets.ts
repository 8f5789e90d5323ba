import { destinationTarget, wantedByDestination } from '../event-destinations/target.js';
import { covers, snapshotText } from '../events/event.js';
import { type World } from '../world.js';
import { type Endpoint } from './endpoint.js';
import { type Target, postSigned } from './target.js';

/** The ids of everything that wants a new event of a type. */
export function targetsOf(world: World, type: string): string[] {
  const wanted: string[] = [];
  for (const { id, status, enabled_events: patterns } of world.endpoints.all())
    if (status === 'enabled' && patterns.some((pattern) => covers(pattern, type))) wanted.push(id);
  for (const destination of world.eventDestinations.all()) if (wantedByDestination(destination, type)) wanted.push(destination.id);
  return [...wanted, ...world.listeners.wanting(type)];
}

/** The ids of everything that wants a thin event that is no twin of a snapshot event. */
export function thinTargetsOf(world: World, type: string): string[] {
  const wanted = world.eventDestinations
    .all()
    .filter(
      ({ status, event_payload: payload, enabled_events: types }) => status === 'enabled' && payload === 'thin' && types.includes(type),
    );
  return [...wanted.map(({ id }) => id), ...world.listeners.wantingThin()];
}

export function targetById(world: World, id: string): Target | undefined {
  const endpoint = world.endpoints.get(id);
  if (endpoint !== undefined) return endpointTarget(endpoint);
  const destination = world.eventDestinations.get(id);
  return destination === undefined ? world.listeners.target(id) : destinationTarget(destination);
}

function endpointTarget({ id, url, status, secrets, api_version: version }: Endpoint): Target {
  return {
    id,
    url,
    enabled: status === 'enabled',
    secrets,
    deliver: (record, sign, post) => postSigned(url, snapshotText(record, version), sign, post),
  };
}
