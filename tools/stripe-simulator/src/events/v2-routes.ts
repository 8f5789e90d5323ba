import { type Call } from '../http/call.js';
import { type Route } from '../http/route.js';
import { type Range } from '../store/collection.js';
import { invalidFields, notFound } from '../v2/errors.js';
import { v2Page, v2Query } from '../v2/list.js';
import { type World } from '../world.js';
import { type ThinEvent } from './event.js';
import { EVENT_LIFETIME_SECONDS } from './event-log.js';
import { snapshotIdOf, thinTwin } from './thin.js';
import { type Wanted, pageOfThin } from './thin-page.js';

const PATH = '/v2/core/events';
const MAX_TYPES = 20;
const TIME = { t: 'string', opt: true } as const;
const OBJECT = { t: 'string', opt: true } as const;

export const v2EventRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'v2list<v2.core.event>',
    fields: {
      created: { t: 'object', opt: true, fields: { gt: TIME, gte: TIME, lt: TIME, lte: TIME } },
      limit: { t: 'number', opt: true },
      object_id: OBJECT,
      page: OBJECT,
      types: { t: 'array', items: { t: 'string' }, opt: true },
    },
    handle: (world, call) => {
      const query = v2Query(call.params);
      return v2Page(PATH, call.params, query, pageOfThin(world, query, wanted(world, call)));
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'v2.core.event', handle: (world, { id }) => thinById(world, id) },
];

function wanted(world: World, { params }: Call): Wanted {
  const types = params['types'] as string[] | undefined;
  if ((types?.length ?? 0) > MAX_TYPES) throw invalidFields(`types may name at most ${MAX_TYPES} event types.`, 'types');
  const objectId = params['object_id'] as string | undefined;
  const since = world.clock.nowSeconds() - EVENT_LIFETIME_SECONDS;
  return {
    created: { ...rangeOf(params['created'] as Record<string, string> | undefined) },
    since,
    ...(types && { types }),
    ...(objectId !== undefined && { objectId }),
  };
}

/** Timestamps as ISO 8601, or in seconds as the SDK's types have it. */
function rangeOf(created: Readonly<Record<string, string>> = {}): Range {
  const seconds = Object.entries(created).map(([name, text]) => {
    const value = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1000;
    if (!Number.isFinite(value)) throw invalidFields(`created.${name} is no timestamp.`, `created.${name}`);
    return [name, value];
  });
  return Object.fromEntries(seconds) as Range;
}

function thinById(world: World, id: string): ThinEvent {
  const since = world.clock.nowSeconds() - EVENT_LIFETIME_SECONDS;
  const own = world.events.thin.get(id);
  if (own !== undefined && own.createdSeconds >= since) return own.event;
  const record = id.startsWith('evt_test_') ? world.events.records.get(snapshotIdOf(id)) : undefined;
  const twin = record !== undefined && record.event.created >= since ? thinTwin(record) : undefined;
  if (twin === undefined) throw notFound('event', id);
  return twin;
}
