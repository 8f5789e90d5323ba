import { type StoredEvent } from '@tidegate/event-store/event';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type EventDetails, isSplit, joined, split } from './event-details.decide.js';

/** The row of `request_details` that stands beside one event. */
export interface BesideRow {
  command_id: string;
  /** The payment or checkout. */
  payment_id: string;
  details: EventDetails;
}

/** Events as they are stored: the rows of the stream, from `version` on, and those beside it. */
export function splitAll<E extends { data: object }>(
  events: readonly E[],
  { id, stream, version }: { id: string; stream: string; version: number },
): { kept: E[]; beside: BesideRow[] } {
  const parts = events.map((event) => split(event.data));
  return {
    kept: events.map((event, index) => ({ ...event, data: parts[index]?.kept ?? event.data })),
    beside: parts.flatMap(({ beside }, index) =>
      beside ? [{ command_id: besideOf(stream, version + index), payment_id: id, details: beside }] : [],
    ),
  };
}

/** Stored events as they were decided, as far as nothing was erased. */
export async function withDetails(db: Kysely<PaymentsTables>, events: StoredEvent[]): Promise<StoredEvent[]> {
  const keys = events.filter(({ type, data }) => isSplit(type, data as object)).map(keyOf);
  if (keys.length === 0) return events;
  const rows = await db
    .selectFrom('request_details')
    .select(['command_id', 'details'])
    .where('command_id', '=', sql<string>`ANY(${keys}::text[])`)
    .execute();
  const known = new Map(rows.map((row) => [row.command_id, row.details]));
  return events.map((event) => ({ ...event, data: joined(event.type, event.data as object, known.get(keyOf(event)) ?? {}) }));
}

const besideOf = (stream: string, version: number): string => `${stream}@${version}`;
const keyOf = ({ stream, stream_version }: StoredEvent): string => besideOf(stream, stream_version);
