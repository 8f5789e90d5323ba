import { type EventRecord, eventView } from '../events/event.js';
import { type World } from '../world.js';
import { KINDS, shown } from './kinds.js';

/** How far back related events are looked for. */
const EVENTS_SEARCHED = 5_000;
const RELATED = 30;

/** One object or event with what belongs to it, or undefined for an unknown id. */
export function objectView(world: World, id: string): object | undefined {
  const event = world.events.records.get(id);
  if (event !== undefined) return { kind: 'events', object: eventView(event), events: [], deliveries: deliveriesOf(world, new Set([id])) };
  const collections = world.collections();
  for (const kind of Object.keys(KINDS)) {
    const item = collections[kind]?.get(id);
    if (item === undefined) continue;
    const events = eventsAbout(world, id);
    const deliveries = deliveriesOf(world, new Set(events.map((one) => one.id)));
    return { kind, object: shown(world, kind, item), events, deliveries };
  }
  return undefined;
}

interface Related {
  readonly id: string;
  readonly type: string;
  readonly created: number;
  readonly about: string;
}

/** Events whose object is this one or names it. */
function eventsAbout(world: World, id: string): Related[] {
  let left = EVENTS_SEARCHED;
  const matches = ({ event }: EventRecord): boolean => (left -= 1) >= 0 && Object.values(event.data.object).includes(id);
  const found = world.events.records.page({ limit: RELATED, matches })?.data ?? [];
  return found.map(({ event }) => ({
    id: event.id,
    type: event.type,
    created: event.created,
    about: (event.data.object as { id?: string }).id ?? '',
  }));
}

function deliveriesOf(world: World, events: ReadonlySet<string>): object[] {
  return world.deliveries
    .all()
    .filter(({ event }) => events.has(event))
    .slice(-RELATED)
    .reverse();
}
