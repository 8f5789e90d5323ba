import { type Kysely, type RawBuilder, sql } from 'kysely';
import { readPositions } from './read.js';
import { type StoredEvent } from './event.js';

/**
 * How far the events of all streams were read: everything up to `after`, except for `gaps`, positions that nobody could see. A transaction that was still
 * open may yet commit them; those of one that was rolled back stay empty for ever.
 */
export interface EventCursor {
  after: number;
  gaps: readonly number[];
}

export const FROM_THE_START: EventCursor = { after: 0, gaps: [] };

/**
 * The next events of all streams, while writers run: misses none, however late it commits, and gives out none twice. At most `limit`, in order of position;
 * none when there are no more now. `among`: a condition on `stream`; events of others are passed over.
 */
export async function readNext(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database or transaction
  db: Kysely<any>,
  cursor: EventCursor,
  limit: number,
  among: RawBuilder<unknown> = sql`true`,
): Promise<{ events: StoredEvent[]; cursor: EventCursor; read: number }> {
  const page = await readPositions(db, sql`position > ${cursor.after} OR position = ANY(${cursor.gaps}::bigint[])`, limit, among);
  const read = page.map((one) => one.position);
  const after = Math.max(cursor.after, ...read);
  const seen = new Set(read);
  const gaps = cursor.gaps.filter((position) => !seen.has(position));
  for (let position = cursor.after + 1; position < after; position += 1) if (!seen.has(position)) gaps.push(position);
  return { events: page.flatMap(({ event }) => event ?? []), cursor: { after, gaps }, read: read.length };
}
