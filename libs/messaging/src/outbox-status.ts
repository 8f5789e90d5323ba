import { type OutboxStatus } from '@tidegate/contracts/ops/outbox-status';
import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';

/** How far an outbox is, by the database's clock. */
export async function readOutboxStatus(db: Db, service: string): Promise<OutboxStatus> {
  const { rows } = await sql<Omit<OutboxStatus, 'service'>>`
    WITH waiting AS (
      SELECT staged_at FROM outbox WHERE position IS NULL
      UNION ALL
      SELECT staged_at FROM outbox WHERE position > (SELECT published FROM outbox_state)
    )
    SELECT (SELECT count(*)::int FROM waiting) AS unpublished,
      (SELECT greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(staged_at)), 0))::float8 FROM waiting) AS oldest_seconds,
      epoch, epoch_start, floor, head, published,
      (SELECT holder FROM leases WHERE name = 'relay' AND expires_at > clock_timestamp()) AS leader
    FROM outbox_state`.execute(db);
  const status = rows[0];
  if (!status) throw new Error('Bug: outbox_state has no row');
  return { service, ...status };
}
