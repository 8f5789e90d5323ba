import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { RouteRequest } from '@tidegate/contracts/rpc/routes';

const DEFAULT_LIMIT = 20;

/** Where a list that is ordered by id goes on, and how long a page is. The cursor is the last id of the page before. */
export function byId(request: RouteRequest): { limit: number; after: string | null } {
  return { limit: Number(request.query['limit'] ?? DEFAULT_LIMIT), after: request.query['cursor'] ?? null };
}

/** One page, of rows that were asked for with one more than `limit`. */
export function pageOf<Row extends { id: string }, View>(rows: readonly Row[], limit: number, view: (row: Row) => View): HttpReply {
  const page = rows.slice(0, limit);
  const more = rows.length > limit;
  return jsonReply(200, { data: page.map(view), has_more: more, next_cursor: more ? (page.at(-1)?.id ?? null) : null });
}
