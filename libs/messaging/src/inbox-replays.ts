import { type Envelope } from '@tidegate/contracts/envelope';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { type InboxKey } from './inbox-key.js';
import { advanceLanes, type LaneRow } from './inbox-lanes.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The message that this one is a replay of, as its envelope says; null for all others. */
export function replayOf(bytes: Buffer): string | null {
  if (!bytes.includes('"replay_of":"')) return null;
  try {
    const { replay_of } = JSON.parse(bytes.toString('utf8')) as Envelope;
    return replay_of !== undefined && UUID.test(replay_of) ? replay_of : null;
  } catch {
    return null;
  }
}

/**
 * Dead rows whose replays have just been stored are given up in favour of them: the event is handled once, where the replay stands, and what waited behind the
 * dead row goes on. The watermark must be locked.
 */
export async function supersedeDead(tx: Db, key: InboxKey, arrivals: readonly { bytes: Buffer }[]): Promise<void> {
  const origins = arrivals.map((one) => replayOf(one.bytes)).filter((origin) => origin !== null);
  if (origins.length === 0) return;
  const { rows } = await sql<{
    aggregate: string;
  }>`SELECT DISTINCT aggregate FROM inbox WHERE ${sameEvent(key, origins)} AND state = 'dead'`.execute(tx);
  const aggregates = rows.map((row) => row.aggregate);
  if (aggregates.length === 0) return;
  // Lanes before rows, as whoever replays or discards a dead letter by hand locks them.
  await sql`
    SELECT 1 FROM inbox_lanes WHERE consumer = ${key.consumer} AND generation = ${key.generation} AND aggregate = ANY(${aggregates})
    ORDER BY aggregate FOR UPDATE`.execute(tx);
  await sql`
    UPDATE inbox SET state = 'discarded', reason = 'replayed; it had failed with: ' || reason, handled_at = clock_timestamp()
    WHERE ${sameEvent(key, origins)} AND state = 'dead'`.execute(tx);
  await advanceLanes(tx, key, aggregates);
}

/** Which of these rows are replays of what took effect here: their message ids. A row counts for those behind it. */
export async function effectiveBefore(
  db: Db,
  key: InboxKey,
  rows: readonly Pick<LaneRow, 'message_id' | 'replay_of'>[],
): Promise<ReadonlySet<string>> {
  const origins = rows.flatMap((row) => row.replay_of ?? []);
  if (origins.length === 0) return new Set();
  const { rows: done } = await sql<{ origin: string }>`
    SELECT coalesce(replay_of, message_id) AS origin FROM inbox WHERE ${sameEvent(key, origins)} AND state = 'done'`.execute(db);
  const effective = new Set(done.map((row) => row.origin));
  const passed = new Set<string>();
  for (const row of rows) {
    if (row.replay_of !== null && effective.has(row.replay_of)) passed.add(row.message_id);
    effective.add(row.replay_of ?? row.message_id);
  }
  return passed;
}

/** Rows of the events that were first published under these ids: these messages, and replays of them. */
const sameEvent = (key: InboxKey, origins: readonly string[]) => sql`
  consumer = ${key.consumer} AND generation = ${key.generation} AND (message_id = ANY(${origins}::uuid[]) OR replay_of = ANY(${origins}::uuid[]))`;
