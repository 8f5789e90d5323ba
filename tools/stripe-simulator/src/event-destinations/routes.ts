import { type Call } from '../http/call.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { schema } from '../schema/schema.js';
import { notFound } from '../v2/errors.js';
import { v2Page, v2Query } from '../v2/list.js';
import { type World } from '../world.js';
import { checkedEvents, checkedUrl } from './checks.js';
import { createDestination } from './create.js';
import { type EventDestination, destinationView } from './event-destination.js';
import { ping } from './ping.js';

const PATH = '/v2/core/event_destinations';
const TYPE = 'v2.core.event_destination';

export const eventDestinationRoutes: readonly Route[] = [
  {
    operation: `POST ${PATH}`,
    returns: TYPE,
    unsupported: ['amazon_eventbridge', 'azure_event_grid', 'events_from'],
    handle: (world, call) => destinationView(createDestination(world, call), included(call)),
  },
  {
    operation: `GET ${PATH}`,
    returns: `v2list<${TYPE}>`,
    fields: { ...schema.operations[`GET ${PATH}`], page: { t: 'string', opt: true } },
    handle: (world, call) => {
      const query = v2Query(call.params);
      const page = v2Page(PATH, call.params, query, world.eventDestinations.page(query));
      return { ...page, data: page.data.map((destination) => destinationView(destination, included(call))) };
    },
  },
  {
    operation: `GET ${PATH}/{id}`,
    returns: TYPE,
    handle: (world, call) => destinationView(destinationById(world, call.id), included(call)),
  },
  {
    operation: `POST ${PATH}/{id}`,
    returns: TYPE,
    handle: (world, call) => destinationView(updateDestination(world, call), included(call)),
  },
  {
    operation: `DELETE ${PATH}/{id}`,
    returns: 'v2.deleted_object',
    handle: (world, { id }) => {
      destinationById(world, id);
      world.eventDestinations.remove(id);
      return { id, object: TYPE };
    },
  },
  { operation: `POST ${PATH}/{id}/disable`, returns: TYPE, handle: (world, { id }) => setStatus(world, id, 'disabled') },
  { operation: `POST ${PATH}/{id}/enable`, returns: TYPE, handle: (world, { id }) => setStatus(world, id, 'enabled') },
  { operation: `POST ${PATH}/{id}/ping`, returns: 'v2.core.event', handle: (world, { id }) => ping(world, destinationById(world, id)) },
];

function updateDestination(world: World, { id, params }: Call): EventDestination {
  const before = destinationById(world, id);
  const { name, description, enabled_events: events, webhook_endpoint: endpoint } = params as Record<string, unknown>;
  return world.eventDestinations.replace({
    ...before,
    updatedMs: world.clock.nowMs(),
    name: (name as string | undefined) ?? before.name,
    description: description === undefined ? before.description : ((description as string | null) ?? ''),
    enabled_events: events === undefined ? before.enabled_events : checkedEvents(events as string[], before.event_payload),
    url: endpoint === undefined ? before.url : checkedUrl(endpoint),
    metadata: mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined),
  });
}

function setStatus(world: World, id: string, status: 'enabled' | 'disabled'): object {
  const before = destinationById(world, id);
  if (before.status === status) return destinationView(before);
  return destinationView(world.eventDestinations.replace({ ...before, status, updatedMs: world.clock.nowMs() }));
}

function destinationById(world: World, id: string): EventDestination {
  const destination = world.eventDestinations.get(id);
  if (destination === undefined) throw notFound('event destination', id);
  return destination;
}

function included({ params }: Call): readonly string[] {
  return (params['include'] as string[] | undefined) ?? [];
}
