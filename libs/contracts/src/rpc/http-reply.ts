import { z } from 'zod';

/**
 * A ready HTTP answer: the owner of the data decides status and bytes, the gateway forwards them untouched (so that a replay of an
 * idempotent request is byte-equal).
 */
export const HttpReply = z.object({
  status: z.int(),
  content_type: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  encoding: z.enum(['utf8', 'base64']),
});
export type HttpReply = z.infer<typeof HttpReply>;

export const jsonReply = (status: number, body: unknown, headers: Record<string, string> = {}): HttpReply => ({
  status,
  content_type: status >= 400 ? 'application/problem+json' : 'application/json',
  headers,
  body: JSON.stringify(body),
  encoding: 'utf8',
});

/**
 * A page goes to the gateway in one message, and the broker takes no larger one than its `max_payload`, usually 1 MB. Metadata of one row can take 110 KB there:
 * the answer is a text within a text, and what JSON escapes is escaped twice.
 */
const MOST_BYTES = 512 * 1024;
const UTF8 = new TextEncoder();

/** What fits into one page of at most 512 KiB, from the first row on, but at least one. */
export function fitting<View extends object>(rows: readonly View[]): View[] {
  const page: View[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += UTF8.encode(JSON.stringify(JSON.stringify(row))).length;
    if (page.length > 0 && bytes > MOST_BYTES) break;
    page.push(row);
  }
  return page;
}
