import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type Cursor, encodeCursor } from './list-cursor.js';

/**
 * A page goes to the gateway in one message, and the broker takes no larger one than its `max_payload`, usually 1 MB. Metadata of one row can take 110 KB there:
 * the answer is a text within a text, and what JSON escapes is escaped twice.
 */
const MOST_BYTES = 512 * 1024;

/** One page of at most 512 KiB, but at least one row; `rows` has one more than `limit` when there is more. What did not fit comes first on the next one. */
export function listReply<R>(
  rows: readonly R[],
  limit: number,
  { view, cursor }: { view(row: R): object; cursor(row: R): Cursor },
): HttpReply {
  const data: object[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, limit)) {
    const shown = view(row);
    bytes += Buffer.byteLength(JSON.stringify(JSON.stringify(shown)));
    if (data.length > 0 && bytes > MOST_BYTES) break;
    data.push(shown);
  }
  const last = rows.length > data.length ? rows[data.length - 1] : undefined;
  return jsonReply(200, { data, has_more: last !== undefined, next_cursor: last ? encodeCursor(cursor(last)) : null });
}
