import { type Kysely, sql } from 'kysely';
import type { WebhooksTables } from '../tables.js';

const CURSOR = 'stripe_events';

export interface Cursor {
  sweptUntil: Date;
  /** On the clock of the service, when the last complete sweep began. */
  sweptAt: Date;
}

/** Where the sweeps are; a fresh installation begins at `now`. */
export async function readCursor(db: Kysely<WebhooksTables>, now: Date): Promise<Cursor> {
  await sql`INSERT INTO sweep_cursors (name, swept_until, epoch, updated_at) VALUES (${CURSOR}, ${now}, 0, to_timestamp(0)) ON CONFLICT DO NOTHING`.execute(
    db,
  );
  const row = await db.selectFrom('sweep_cursors').selectAll().where('name', '=', CURSOR).executeTakeFirstOrThrow();
  return { sweptUntil: row.swept_until, sweptAt: row.updated_at };
}

/** Moves the cursor forward as the leader of `epoch`; false when a later leader has written. */
export async function advanceCursor(db: Kysely<WebhooksTables>, to: Cursor, epoch: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE sweep_cursors SET swept_until = greatest(swept_until, ${to.sweptUntil}), updated_at = ${to.sweptAt}, epoch = ${epoch}
    WHERE name = ${CURSOR} AND epoch <= ${epoch}`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}
