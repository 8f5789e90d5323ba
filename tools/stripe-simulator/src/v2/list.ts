import { invalidFields } from './errors.js';

/** The page envelope of v2: whole URLs instead of cursors. */
export interface V2Page<T> {
  readonly data: readonly T[];
  readonly next_page_url: string | null;
  readonly previous_page_url: string | null;
}

export interface V2Query {
  readonly limit: number;
  readonly startingAfter?: string;
  readonly endingBefore?: string;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Reads `limit` and `page`, the opaque token in the URLs that earlier pages gave. */
export function v2Query(params: Readonly<Record<string, unknown>>): V2Query {
  const limit = (params['limit'] as number | undefined) ?? DEFAULT_LIMIT;
  if (limit < 1 || limit > MAX_LIMIT) throw invalidFields(`limit must be between 1 and ${MAX_LIMIT}.`, 'limit');
  const page = params['page'] as string | undefined;
  if (page === undefined) return { limit };
  const [direction, id = ''] = Buffer.from(page, 'base64url').toString('utf8').split(' ');
  if (direction === 'after') return { limit, startingAfter: id };
  if (direction === 'before') return { limit, endingBefore: id };
  throw invalidFields('page is no token of an earlier answer.', 'page');
}

/** The envelope of one page, newest first; `params` are repeated in the URLs. */
export function v2Page<T extends { readonly id: string }>(
  path: string,
  params: Readonly<Record<string, unknown>>,
  query: V2Query,
  found: { readonly data: readonly T[]; readonly hasMore: boolean } | undefined,
): V2Page<T> {
  if (found === undefined) throw invalidFields('page is no token of an earlier answer.', 'page');
  const { data, hasMore } = found;
  const older = query.endingBefore !== undefined || hasMore ? data.at(-1) : undefined;
  const newer = query.startingAfter !== undefined || (query.endingBefore !== undefined && hasMore) ? data[0] : undefined;
  return {
    data,
    next_page_url: older === undefined ? null : pageUrl(path, params, 'after', older.id),
    previous_page_url: newer === undefined ? null : pageUrl(path, params, 'before', newer.id),
  };
}

function pageUrl(path: string, params: Readonly<Record<string, unknown>>, direction: string, id: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (name === 'page' || value === undefined) continue;
    if (Array.isArray(value)) value.forEach((item, at) => query.append(`${name}[${at}]`, String(item)));
    else if (typeof value === 'object' && value !== null)
      Object.entries(value).forEach(([key, item]) => query.append(`${name}[${key}]`, String(item)));
    else query.append(name, String(value));
  }
  query.append('page', Buffer.from(`${direction} ${id}`).toString('base64url'));
  return `${path}?${query.toString()}`;
}
