import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { SweepOrdersTable, WebhooksTables } from '../tables.js';
import type { Found } from './read-window.js';

const CURSOR = 'stripe_events';

type Database = Kysely<WebhooksTables>;

export interface Cursor {
  sweptUntil: Date;
  /** On the clock of the service, when the last complete sweep began. */
  sweptAt: Date;
  /** Of Stripe's time, in all: not read before Stripe stopped listing it. */
  unlistedSeconds: number;
}

/** Where the sweeps are; a fresh installation begins at `now`. */
export async function readCursor(db: Database, now: Date): Promise<Cursor> {
  const read = () => db.selectFrom('sweep_cursors').selectAll().where('name', '=', CURSOR).executeTakeFirst();
  const row = (await read()) ?? (await makeCursor(db, now).then(read));
  if (!row) throw new Error('Bug: the cursor that was just made is gone');
  return { sweptUntil: row.swept_until, sweptAt: row.updated_at, unlistedSeconds: row.unlisted_seconds };
}

async function makeCursor(db: Database, now: Date): Promise<void> {
  await sql`INSERT INTO sweep_cursors (name, swept_until, epoch, updated_at) VALUES (${CURSOR}, ${now}, 0, to_timestamp(0)) ON CONFLICT DO NOTHING`.execute(
    db,
  );
}

/** Moves the cursor forward as the leader of `epoch`, and adds what was not listed any more; false when a later leader has written. */
export async function advanceCursor(db: Database, to: Cursor, epoch: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE sweep_cursors SET swept_until = greatest(swept_until, ${to.sweptUntil}), updated_at = ${to.sweptAt}, epoch = ${epoch},
      unlisted_seconds = unlisted_seconds + ${to.unlistedSeconds}::bigint
    WHERE name = ${CURSOR} AND epoch <= ${epoch}`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Puts the cursor back, and a sweep is due at once; false when a later leader has written, or it does not stand above `above` any more. */
export async function rewindCursor(db: Database, { above, to }: { above: Date; to: Date }, epoch: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE sweep_cursors SET swept_until = ${to}, updated_at = to_timestamp(0), epoch = ${epoch}
    WHERE name = ${CURSOR} AND epoch <= ${epoch} AND swept_until > ${above}`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

export type SweepOrder = Selectable<SweepOrdersTable>;

export async function insertOrder(
  tx: Transaction<WebhooksTables>,
  order: Pick<SweepOrder, 'id' | 'since' | 'until' | 'actor' | 'reason' | 'ordered_at'>,
): Promise<void> {
  await tx
    .insertInto('sweep_orders')
    .values({ ...order, swept_until: order.since, finished_at: null })
    .execute();
}

/** The oldest that is not finished. */
export async function openOrder(db: Database): Promise<SweepOrder | null> {
  const row = await db
    .selectFrom('sweep_orders')
    .selectAll()
    .where('finished_at', 'is', null)
    .orderBy('ordered_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function findOrder(db: Database, id: string): Promise<SweepOrder | null> {
  return (await db.selectFrom('sweep_orders').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** The newest. */
export async function latestOrders(db: Database, limit: number): Promise<SweepOrder[]> {
  return db.selectFrom('sweep_orders').selectAll().orderBy('ordered_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Events were stored that an ordered sweep found, by whichever leader. */
export async function countFound(tx: Transaction<WebhooksTables>, id: string, { events, missed }: Found): Promise<void> {
  await tx
    .updateTable('sweep_orders')
    .set((eb) => ({ found: eb('found', '+', events), missed: eb('missed', '+', missed) }))
    .where('id', '=', id)
    .execute();
}

/** Notes how far an ordered sweep is, as the leader of `epoch`; false when a later leader has written. */
export async function advanceOrder(
  tx: Transaction<WebhooksTables>,
  id: string,
  to: { sweptUntil: Date; finishedAt: Date | null },
  epoch: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('sweep_orders')
    .set({ swept_until: to.sweptUntil, finished_at: to.finishedAt, lease_epoch: epoch })
    .where('id', '=', id)
    .where('lease_epoch', '<=', epoch)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
