import { fitting, type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type Cursor, encodeCursor } from './list-cursor.js';

/** One page that fits into a message; `rows` has one more than `limit` when there is more. What did not fit comes first on the next one. */
export function listReply<R>(
  rows: readonly R[],
  limit: number,
  { view, cursor }: { view(row: R): object; cursor(row: R): Cursor },
): HttpReply {
  const data = fitting(rows.slice(0, limit).map(view));
  const last = rows.length > data.length ? rows[data.length - 1] : undefined;
  return jsonReply(200, { data, has_more: last !== undefined, next_cursor: last ? encodeCursor(cursor(last)) : null });
}
