import { type Range } from '../store/collection.js';
import { type V2Query } from '../v2/list.js';
import { type World } from '../world.js';
import { type ThinEvent } from './event.js';
import { thinTwin, thinTypeOf } from './thin.js';

export interface Wanted {
  readonly types?: readonly string[];
  /** The id of the related object. */
  readonly objectId?: string;
  /** In seconds; may be fractions. */
  readonly created: Range;
  readonly since: number;
}

/** One page of thin events, twins of snapshot events and others, newest first. Undefined when the cursor is not among them. */
export function pageOfThin(world: World, query: V2Query, wanted: Wanted): { data: ThinEvent[]; hasMore: boolean } | undefined {
  const found = merged(world, wanted);
  const cursor = query.startingAfter ?? query.endingBefore;
  const at = cursor === undefined ? -1 : found.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && at === -1) return undefined;
  if (query.endingBefore !== undefined) {
    const from = Math.max(0, at - query.limit);
    return { data: found.slice(from, at), hasMore: from > 0 };
  }
  return { data: found.slice(at + 1, at + 1 + query.limit), hasMore: found.length > at + 1 + query.limit };
}

function merged(world: World, wanted: Wanted): ThinEvent[] {
  const twins = world.events.records
    .all()
    .filter(({ event }) => isIn(event.created, wanted) && isOfType(thinTypeOf(event.type), wanted))
    .map((record) => ({ seconds: record.event.created, event: thinTwin(record) }));
  const others = world.events.thin
    .all()
    .filter(({ createdSeconds, event }) => isIn(createdSeconds, wanted) && isOfType(event.type, wanted))
    .map(({ createdSeconds, event }) => ({ seconds: createdSeconds, event }));
  return [...twins, ...others]
    .sort((a, b) => a.seconds - b.seconds)
    .reverse()
    .map(({ event }) => event)
    .filter((event) => event !== undefined)
    .filter((event) => wanted.objectId === undefined || event.related_object?.id === wanted.objectId);
}

function isOfType(type: string | undefined, { types }: Wanted): boolean {
  return type !== undefined && (types === undefined || types.includes(type));
}

function isIn(seconds: number, { created: { gt, gte, lt, lte }, since }: Wanted): boolean {
  if (seconds < since) return false;
  return !(seconds <= (gt ?? -Infinity) || seconds < (gte ?? -Infinity) || seconds >= (lt ?? Infinity) || seconds > (lte ?? Infinity));
}
