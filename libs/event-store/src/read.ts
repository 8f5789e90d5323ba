import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Metadata, type StoredEvent } from './event.js';

export { type Metadata, type NewEvent, type StoredEvent } from './event.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database or transaction
type AnyDb = Kysely<any>;

interface Row {
  position: number;
  stream: string;
  version: number;
  type: string;
  type_version: number;
  data: unknown;
  metadata: Metadata;
  occurred_at: Date;
}

/** Named one by one: a statement with `*` is not prepared. */
const COLUMNS = sql`position, stream, version, type, type_version, data, metadata, occurred_at`;

/** A stream's events, oldest first; empty when there is none. */
export async function readStream(db: AnyDb, stream: string): Promise<StoredEvent[]> {
  const { rows } = await sql<Row>`SELECT ${COLUMNS} FROM events WHERE stream = ${stream} ORDER BY version`.execute(db);
  return rows.map(toStoredEvent);
}

/** The events of each of these streams, oldest first; those without any are missing. */
export async function readStreams(db: AnyDb, streams: readonly string[]): Promise<Map<string, StoredEvent[]>> {
  const { rows } = await sql<Row>`SELECT ${COLUMNS} FROM events WHERE stream = ANY(${streams}) ORDER BY stream, version`.execute(db);
  return Map.groupBy(rows.map(toStoredEvent), ({ stream }) => stream);
}

/** A stream's newest event; null when there is none. */
export async function readLast(db: AnyDb, stream: string): Promise<StoredEvent | null> {
  const { rows } = await sql<Row>`SELECT ${COLUMNS} FROM events WHERE stream = ${stream} ORDER BY version DESC LIMIT 1`.execute(db);
  return rows[0] ? toStoredEvent(rows[0]) : null;
}

/**
 * Events of all streams with position > `afterPosition`, at most `limit`. For rebuilds of a quiet schema: a transaction still open may yet commit a
 * lower position, so never keep a checkpoint from this while writers run (the outbox's stamped positions are for that).
 */
export async function readAll(db: AnyDb, afterPosition: number, limit: number): Promise<StoredEvent[]> {
  const { rows } = await sql<Row>`
    SELECT ${COLUMNS} FROM events WHERE position > ${afterPosition} ORDER BY position LIMIT ${limit}`.execute(db);
  return rows.map(toStoredEvent);
}

/** Where there are events, in order of position, with those `among` the wanted ones. */
export async function readPositions(
  db: AnyDb,
  where: RawBuilder<unknown>,
  limit: number,
  among: RawBuilder<unknown>,
): Promise<{ position: number; event: StoredEvent | null }[]> {
  const { rows } = await sql<Row & { wanted: boolean }>`
    SELECT ${COLUMNS}, (${among}) AS wanted FROM events WHERE ${where} ORDER BY position LIMIT ${limit}`.execute(db);
  return rows.map((row) => ({ position: row.position, event: row.wanted ? toStoredEvent(row) : null }));
}

function toStoredEvent(row: Row): StoredEvent {
  return {
    position: row.position,
    stream: row.stream,
    stream_version: row.version,
    type: row.type,
    version: row.type_version,
    data: row.data,
    metadata: row.metadata,
    occurred_at: row.occurred_at,
  };
}
