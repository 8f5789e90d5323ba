import { type Kysely, type Selectable } from 'kysely';
import { type PaymentsTables } from '../tables.js';

export type Restore = Selectable<PaymentsTables['restores']>;

/** Every restore of this database from a backup, the oldest backup first. */
export const restoresOf = (db: Kysely<PaymentsTables>): Promise<Restore[]> =>
  db.selectFrom('restores').selectAll().orderBy('restore_point').execute();

/** The instant of the oldest backup that this database was restored from; null when it never was. */
export const oldestRestorePoint = async (db: Kysely<PaymentsTables>): Promise<Date | null> =>
  (await restoresOf(db))[0]?.restore_point ?? null;
