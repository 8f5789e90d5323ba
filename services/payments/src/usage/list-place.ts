import { z } from 'zod';

/** Where a list of usage goes on: the key of the last row, opaque to callers. */
export const encodePlace = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** As PostgreSQL stores text. */
const storable = z.string().refine((text) => !text.includes('\0') && text.isWellFormed());

/** Null for anything that is not a place of a list with keys of this length. */
export function decodePlace(text: string, length: number): string[] | null {
  try {
    const parsed = z
      .array(storable)
      .length(length)
      .safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const DEFAULT_LIMIT = 20;
const MOST = 100;

/** `limit` and `cursor` of a query; null when the cursor is none of this list. */
export function placeOf(query: Record<string, string>, length: number): { limit: number; after: string[] | null } | null {
  const limit = Math.min(MOST, Math.max(1, Number(query['limit'] ?? DEFAULT_LIMIT) || DEFAULT_LIMIT));
  const { cursor } = query;
  if (cursor === undefined) return { limit, after: null };
  const after = decodePlace(cursor, length);
  return after && { limit, after };
}

/** A page of `rows`, of which one more than `limit` was read. */
export function pageOf<T>(rows: readonly T[], limit: number, { view, key }: { view(row: T): object; key(row: T): string[] }): object {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    data: rows.slice(0, limit).map(view),
    has_more: last !== undefined,
    next_cursor: last === undefined ? null : encodePlace(key(last)),
  };
}
