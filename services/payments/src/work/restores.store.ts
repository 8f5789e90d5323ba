import { type Kysely, type Selectable } from 'kysely';
import { type PaymentsTables } from '../tables.js';

export type Restore = Selectable<PaymentsTables['restores']>;

/** Every restore of this database from a backup, the oldest backup first. */
export const restoresOf = (db: Kysely<PaymentsTables>): Promise<Restore[]> =>
  db.selectFrom('restores').selectAll().orderBy('restore_point').execute();

/** Whether something that is from `since` may have gone on in a time whose record a restore has lost. */
export const wasRestoredSince = async (db: Kysely<PaymentsTables>, since: string): Promise<boolean> =>
  (await restoresOf(db)).some(({ restored_at }) => restored_at.getTime() > Date.parse(since));

/** The instant of the oldest backup that this database was restored from; null when it never was. */
export const oldestRestorePoint = async (db: Kysely<PaymentsTables>): Promise<Date | null> =>
  (await restoresOf(db))[0]?.restore_point ?? null;
