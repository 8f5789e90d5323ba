import { type Transaction, sql } from 'kysely';
import { type Metadata, type NewEvent } from './event.js';

export { type Metadata, type NewEvent, type StoredEvent } from './event.js';

/** Somebody else appended to the stream first, or it is shorter than expected: load it again and decide again. */
export class WrongExpectedVersion extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
  ) {
    super(`Stream ${stream} is not at version ${expected}`);
    this.name = 'WrongExpectedVersion';
  }
}

/**
 * Appends events to a stream that must be at `expectedVersion` (0 = it does not exist yet) and returns its new version. Throws WrongExpectedVersion,
 * after which the transaction can still be used.
 */
export async function append(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  tx: Transaction<any>,
  stream: string,
  expectedVersion: number,
  events: readonly NewEvent[],
  metadata: Metadata,
  occurredAt: Date,
): Promise<number> {
  if (events.length === 0) return expectedVersion;
  const rows = events.map((event, index) => ({
    version: expectedVersion + 1 + index,
    type: event.type,
    type_version: event.version,
    data: event.data,
  }));
  // ON CONFLICT waits for a concurrent writer of the same version and then yields nothing, without breaking the transaction. Only the first row can
  // meet one: whoever holds it holds the right to the versions behind it.
  const { rows: inserted } = await sql<{ version: number }>`
    WITH new AS (
      SELECT version, type, type_version, data FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row(version int, type text, type_version int, data jsonb)
    ), first AS (
      INSERT INTO events (stream, version, type, type_version, data, metadata, occurred_at)
      SELECT ${stream}, version, type, type_version, data, ${JSON.stringify(metadata)}::jsonb, ${occurredAt}::timestamptz
      FROM new
      WHERE version = ${expectedVersion}::int + 1
        AND (${expectedVersion}::int = 0 OR EXISTS (SELECT 1 FROM events WHERE stream = ${stream} AND version = ${expectedVersion}::int))
      ON CONFLICT (stream, version) DO NOTHING
      RETURNING version
    ), rest AS (
      INSERT INTO events (stream, version, type, type_version, data, metadata, occurred_at)
      SELECT ${stream}, version, type, type_version, data, ${JSON.stringify(metadata)}::jsonb, ${occurredAt}::timestamptz
      FROM new
      WHERE version > (SELECT version FROM first)
      ORDER BY version
      RETURNING version
    )
    SELECT version FROM first UNION ALL SELECT version FROM rest`.execute(tx);
  if (inserted.length === 0) throw new WrongExpectedVersion(stream, expectedVersion);
  if (inserted.length !== rows.length) throw new Error(`Bug: ${inserted.length} of ${rows.length} events reached stream ${stream}`);
  return expectedVersion + rows.length;
}
