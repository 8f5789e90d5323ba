import { type Call } from '../http/call.js';
import { invalidParam } from '../http/errors.js';
import { limitOf } from '../http/list.js';
import { type Collection, type Stored } from '../store/collection.js';
import { type SearchFields, matcherOf } from './match.js';
import { parseQuery } from './query.js';

export interface SearchResult<T> {
  readonly object: 'search_result';
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly next_page: string | null;
  readonly url: string;
}

/**
 * Answers a search: newest first, paged by an opaque `page`. At Stripe new objects are found up to a minute late and never for
 * read-after-write (https://docs.stripe.com/search#data-freshness); here at once, unless the fault `list_lag` hides them.
 */
export function searchPage<T extends Stored>(
  call: Call,
  collection: Collection<T>,
  resource: string,
  fields: SearchFields,
): SearchResult<T> {
  const { query, limit, page: token } = call.params as { query: string; limit?: number; page?: string };
  const matches = matcherOf(parseQuery(query), fields, resource);
  const after = token === undefined ? {} : { startingAfter: Buffer.from(token, 'base64url').toString('latin1') };
  const page = collection.page({
    limit: limitOf(limit),
    matches,
    ...after,
    ...(call.insertedBeforeMs !== undefined && { insertedBeforeMs: call.insertedBeforeMs }),
  });
  if (page === undefined) throw invalidParam('Invalid page token.', 'page');
  const last = page.data.at(-1);
  const next = page.hasMore && last !== undefined ? Buffer.from(last.id, 'latin1').toString('base64url') : null;
  return { object: 'search_result', data: page.data, has_more: page.hasMore, next_page: next, url: `/v1/${resource}/search` };
}
