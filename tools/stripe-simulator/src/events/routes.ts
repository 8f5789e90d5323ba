import { invalidParam, noSuch } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type World } from '../world.js';
import { type EventRecord, covers, eventView } from './event.js';
import { EVENT_LIFETIME_SECONDS } from './event-log.js';

const PATH = '/v1/events';
const MAX_TYPES = 20;

export const eventRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'list<event>',
    handle: (world, call) => {
      const { type, types, delivery_success: delivered } = call.params as { type?: string; types?: string[]; delivery_success?: boolean };
      if (type !== undefined && types !== undefined)
        throw invalidParam('You may only specify one of these parameters: type, types.', 'types');
      if ((types?.length ?? 0) > MAX_TYPES) throw invalidParam(`You may pass at most ${MAX_TYPES} types.`, 'types');
      const patterns = types ?? (type === undefined ? undefined : [type]);
      const page = listPage(call, world.events.records, {
        noun: 'event',
        url: PATH,
        since: world.clock.nowSeconds() - EVENT_LIFETIME_SECONDS,
        matches: ({ event, undelivered, listedFromMs = 0 }) =>
          listedFromMs <= world.clock.nowMs() &&
          (patterns === undefined || patterns.some((pattern) => covers(pattern, event.type))) &&
          (delivered === undefined || delivered === (undelivered.length === 0)),
      });
      return { ...page, data: page.data.map(eventView) };
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'event', handle: (world, { id }) => eventView(eventById(world, id)) },
  {
    operation: `POST ${PATH}/{id}/retry`,
    returns: 'event',
    fields: {
      webhook_endpoint: { t: 'string', opt: true },
      for_stripecli: { t: 'boolean', opt: true },
      expand: { t: 'array', items: { t: 'string' }, opt: true },
    },
    handle: (world, { id, params }) => {
      const record = eventById(world, id);
      if (params['for_stripecli'] === true) {
        for (const target of world.listeners.wanting(record.event.type)) world.deliveries.resend(record, target);
        return eventView(record);
      }
      const named = params['webhook_endpoint'] as string | undefined;
      if (named !== undefined && world.endpoints.get(named) === undefined) throw noSuch('webhook endpoint', named, 'webhook_endpoint');
      const endpoints = world.endpoints.all().filter((endpoint) => named === undefined || endpoint.id === named);
      for (const endpoint of endpoints) world.deliveries.resend(record, endpoint.id);
      return eventView(record);
    },
  },
];

function eventById(world: World, id: string): EventRecord {
  const record = world.events.records.get(id);
  if (record === undefined || record.event.created < world.clock.nowSeconds() - EVENT_LIFETIME_SECONDS) throw noSuch('event', id, 'id');
  return record;
}
