import { type Kysely, type Selectable, sql } from 'kysely';
import type { GatewayTables } from '../tables.js';

export type HoldRow = Selectable<GatewayTables['holds']>;

export const findHold = (db: Kysely<GatewayTables>): Promise<HoldRow | undefined> => db.selectFrom('holds').selectAll().executeTakeFirst();

/** Places it, or moves its restore point back when there is one, never on: a second restore may be of an older backup, and one of a younger finds no more on record than the first did. */
export async function placeHold(db: Kysely<GatewayTables>, hold: Omit<HoldRow, 'only_row'>): Promise<void> {
  await db
    .insertInto('holds')
    .values({ ...hold, only_row: true })
    .onConflict((conflict) =>
      conflict.column('only_row').doUpdateSet({ ...hold, restore_point: sql<Date>`least(holds.restore_point, excluded.restore_point)` }),
    )
    .execute();
}

/** Whether there was one. */
export async function releaseHold(db: Kysely<GatewayTables>): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('holds').executeTakeFirst();
  return numDeletedRows > 0n;
}
