import { type Collection, type Range, type Stored } from '../store/collection.js';
import { type Call } from './call.js';
import { invalidParam, noSuch } from './errors.js';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export interface ListEnvelope<T> {
  readonly object: 'list';
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly url: string;
}

export interface ListOptions<T> {
  readonly noun: string;
  readonly url: string;
  /** Parameters that are exact filters on fields of the same name. */
  readonly filters?: readonly string[];
  readonly matches?: (item: T) => boolean;
  /** Only objects created at or after this second exist for this list. */
  readonly since?: number;
}

/** Answers a list request from its cursors, `limit`, `created` and exact filters; newest first. */
export function listPage<T extends Stored>(call: Call, collection: Collection<T>, options: ListOptions<T>): ListEnvelope<T> {
  const { params } = call;
  const startingAfter = params['starting_after'] as string | undefined;
  const endingBefore = params['ending_before'] as string | undefined;
  if (startingAfter !== undefined && endingBefore !== undefined) {
    throw invalidParam('You cannot parameterize both starting_after and ending_before.', 'starting_after');
  }
  const page = collection.page({
    limit: limitOf(params['limit'] as number | undefined),
    created: createdOf(params['created'], options.since),
    equals: Object.fromEntries((options.filters ?? []).filter((name) => params[name] !== undefined).map((name) => [name, params[name]])),
    ...(startingAfter !== undefined && { startingAfter }),
    ...(endingBefore !== undefined && { endingBefore }),
    ...(options.matches && { matches: options.matches }),
    ...(call.insertedBeforeMs !== undefined && { insertedBeforeMs: call.insertedBeforeMs }),
  });
  if (page === undefined)
    throw noSuch(options.noun, startingAfter ?? endingBefore ?? '', startingAfter === undefined ? 'ending_before' : 'starting_after');
  return { object: 'list', data: page.data, has_more: page.hasMore, url: options.url };
}

/** `limit`: 10 by default, 1 to 100. */
export function limitOf(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (limit < 1) throw invalidParam('This value must be greater than or equal to 1.', 'limit', 'parameter_invalid_integer');
  if (limit > MAX_LIMIT) throw invalidParam(`This value must be less than or equal to ${MAX_LIMIT}.`, 'limit', 'parameter_invalid_integer');
  return limit;
}

function createdOf(created: unknown, since: number | undefined): Range {
  const range = typeof created === 'number' ? { gte: created, lte: created } : ((created ?? {}) as Range);
  return since === undefined ? range : { ...range, gte: Math.max(range.gte ?? since, since) };
}
